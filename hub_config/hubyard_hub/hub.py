"""`python -m hubyard_hub.hub -f CONFIG`: JupyterHub, started without slow imports."""

from __future__ import annotations

from hubyard_runtime.quickstart import skip_slow_imports


def main() -> None:
    """Become the hub."""
    skip_slow_imports()
    from jupyterhub.app import main as serve  # noqa: PLC0415  after the above

    serve()


if __name__ == "__main__":
    main()
