"""Notebooks of the shapes of nbclient's own tests: outputs, tags, widgets and ends."""

from __future__ import annotations

from peers.case import Instead, case, code, text

MEANT = "The tag says that this error is meant, as nbclient has it."
TOLD = "Where a kernel dies, the cell that was running is named."
SHOWN = (
    "class Shown:\n    def __repr__(self):\n        raise RuntimeError('no picture')"
)
IMAGE = (
    "import base64\nfrom IPython.display import Image, display\n"
    "display(Image(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU"
    "lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==')))"
)

CASES = (
    case("hello-world", "print('Hello World')"),
    case("empty-cell", "", "   \n", text(""), "print(1)"),
    case("comment-only", "# nothing to do", "print(1)"),
    case(
        "factorials",
        "i, j = 1, 1",
        "for m in range(9):\n    i, j = j, i + j\n    print(j)",
    ),
    case("unicode", "print('☃ ünïcode 日本語')", "'☃'"),
    case("both-streams", "import sys\nprint('out')\nprint('err', file=sys.stderr)"),
    case("stream-in-pieces", "for n in range(100):\n    print(n, end=' ', flush=True)"),
    case("many-lines", "for n in range(300):\n    print('line', n)"),
    case("carriage-returns", "for n in range(5):\n    print(f'\\r{n} of 4', end='')"),
    case("result-and-text", "print('text')\n1 + 1"),
    case("several-results", "1", "_ + 1", "Out[1], In[1]"),
    case("semicolon-hides", "1 + 1;"),
    case("last-is-none", "None", "x = None\nx"),
    case("inline-image", IMAGE),
    case(
        "svg",
        "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
    ),
    case(
        "html",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\n"
        "HTML('<i>y</i>')",
    ),
    case(
        "update-display-id",
        "from IPython.display import display\nshown = display('one', display_id='d')",
        "shown.update('two')\ndisplay('three', display_id='d')",
    ),
    case(
        "clear-output",
        "from IPython.display import clear_output\n"
        "print('gone')\nclear_output()\nprint('kept')",
        "for n in range(4):\n    clear_output(wait=True)\n    print(n)",
        "print('gone')\nclear_output(wait=True)",
    ),
    case(
        "output-widget",
        "import ipywidgets\nbox = ipywidgets.Output()\nwith box:\n    print('inside')\n"
        "print('outside')",
        "with box:\n    print('later')\nbox.outputs and None",
    ),
    case(
        "error-in-a-widget",
        "import ipywidgets\nbox = ipywidgets.Output()\n"
        "with box:\n    1 / 0\nprint('on')",
    ),
    case(
        "jupyter-widgets",
        "import ipywidgets\nbar = ipywidgets.IntSlider(3)\nbar",
        "bar.value = 5\nprint(bar.value)",
    ),
    case(
        "other-comms",
        "from comm import create_comm\n"
        "c = create_comm('hubyard.unknown', data={'a': 1})\n"
        "c.send({'b': 2})\nprint('sent')",
    ),
    case("disabled-stdin", "input('?')"),
    case("error", "0 / 0"),
    case(
        "raises-exception",
        code("raise ValueError('meant')", "raises-exception"),
        "print('on')",
        instead=Instead(MEANT, succeeds=True, shown=("on",)),
    ),
    case(
        "raises-exception-twice",
        code("1 / 0", "raises-exception"),
        code("{}['k']", "raises-exception", "other"),
        "print('on')",
        "nobody",
        instead=Instead(MEANT, cell=3, words="NameError", shown=("on",)),
    ),
    case("skip-execution", code("1 / 0", "skip-execution"), "print('on')"),
    case("skips-by-if", "if False:\n    1 / 0", "print('on')"),
    case("history-in-memory", "get_ipython().history_manager.hist_file"),
    case("sleeps", "import time\ntime.sleep(0.3)\nprint('woke')"),
    case(
        "autokill",
        "print('before', flush=True)\nimport time; time.sleep(0.3)",
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)",
        "print('never')",
        instead=Instead(TOLD, cell=1, words="The kernel died in cell 2 of 3"),
    ),
    case(
        "os-exit-0",
        "import os\nos._exit(0)",
        "print('never')",
        instead=Instead(TOLD, cell=0, words="exited with code 0"),
    ),
    case(
        "interrupts-itself",
        "import _thread, time\n_thread.interrupt_main()\ntime.sleep(9)",
    ),
    case(
        "formatter-raises",
        SHOWN,
        "Shown()",
        instead=Instead(
            "papermill names no exception: the output does.",
            cell=1,
            words="RuntimeError: no picture",
        ),
    ),
    case("formatter-raises-in-display", SHOWN, "display(Shown())", "print('later')"),
    case(
        "formatter-raises-in-a-list",
        SHOWN,
        "x = [Shown()]\nx",
        instead=Instead(
            "papermill names no exception: the output does.",
            cell=1,
            words="RuntimeError: no picture",
        ),
    ),
    case("error-in-capture", "%%capture\n1 / 0", "print('later')"),
    case("capture-keeps", "%%capture kept\nprint('inside')", "kept.stdout"),
    case(
        "top-level-await", "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')"
    ),
    case("await-that-raises", "async def f():\n    raise OSError('lost')", "await f()"),
    case(
        "a-thread-that-raises",
        "import threading\n"
        "threading.excepthook = lambda args: print(args.exc_type.__name__)\n"
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()",
    ),
)
