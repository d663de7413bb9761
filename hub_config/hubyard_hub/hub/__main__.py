"""`python -m hubyard_hub.hub -f CONFIG`: JupyterHub, started without slow imports."""

from __future__ import annotations

from hubyard_runtime.quickstart import skip_slow_imports
from hubyard_runtime.url_tokens import keep_tokens_out_of_logs


def main() -> None:
    """Become the hub."""
    skip_slow_imports()
    keep_tokens_out_of_logs()
    # After the above.
    from hubyard_hub.hub.group_shares import include_group_shares  # noqa: PLC0415
    from hubyard_hub.hub.lines import write_few  # noqa: PLC0415
    from hubyard_hub.hub.requests import HubyardHub  # noqa: PLC0415

    include_group_shares()
    write_few()
    HubyardHub.launch_instance()


if __name__ == "__main__":
    main()
