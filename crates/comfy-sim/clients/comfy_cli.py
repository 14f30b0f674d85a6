"""The command of comfy-cli against a server: comfy_cli.py URL FOLDER

Runs a workflow of several steps in both formats that the command reads and one whose node raises, asks for the jobs, downloads the
picture and uploads it. Nothing of it reads or changes the settings of whoever starts it.
"""

import json
import os
import pathlib
import subprocess
import sys
from urllib.parse import urlsplit

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
WORKFLOWS = pathlib.Path(__file__).with_name("workflows").absolute()
ENVIRONMENT = {**os.environ, "HOME": str(FOLDER), "XDG_CONFIG_HOME": str(FOLDER), "COMFY_LOCAL_URL": URL, "DO_NOT_TRACK": "1"}


def check(what, holds):
    if not holds:
        raise SystemExit(f"failed: {what}")


def comfy(*arguments, fails=False):
    """Runs the command; answers what it says in JSON, one value a line."""
    command = pathlib.Path(sys.executable).with_name("comfy")
    line = [command, "--skip-prompt", "--where", "local", "--json-stream", *arguments]
    done = subprocess.run(line, env=ENVIRONMENT, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(f"comfy {arguments}: {done.stdout} {done.stderr}", (done.returncode != 0) == fails)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def run(workflow, **options):
    server = urlsplit(URL)
    return comfy(
        "run", "--workflow", workflow, "--wait", "--host", server.hostname, "--port", str(server.port), "--timeout", "30", **options
    )


def main():
    stats = comfy("system-stats")[-1]
    check(f"the server tells of itself: {stats}", stats["ok"])

    for name in ("steps.json", "steps.api.json"):
        said = run(WORKFLOWS / name)
        end = said[-1]
        check(f"{name} is completed: {end}", end["ok"] and end["data"]["status"] == "completed")
        check(f"{name} has a picture: {end}", len(end["data"]["outputs"]) == 1)
        if name == "steps.json":
            check(f"progress was seen: {said}", any(each["type"] == "progress" for each in said))

    prompt = end["data"]["prompt_id"]
    status = comfy("jobs", "status", prompt)[-1]["data"]["status"]
    check(f"its status is completed: {status}", status == "completed")
    listed = [job["prompt_id"] for job in comfy("jobs", "ls")[-1]["data"]["jobs"]]
    check(f"it is listed: {listed}", prompt in listed)
    (file,) = comfy("download", prompt, "--out-dir", FOLDER / "out")[-1]["data"]["files"]
    check("the picture is a PNG", pathlib.Path(file["path"]).read_bytes().startswith(b"\x89PNG"))

    check("it is uploaded", comfy("upload", file["path"])[-1]["ok"])
    comfy("free", "--free-memory")

    raises = FOLDER / "raises.json"
    raises.write_text(json.dumps({"1": {"class_type": "ProbeRaise", "inputs": {"kind": "ValueError", "n": 3}}}))
    end = run(raises, fails=True)[-1]
    check(f"the node's error is told: {end}", "demo_probe says no" in json.dumps(end["error"]))


main()
print("comfy run of both formats with progress, of a node that raises; jobs, download, upload, free, system-stats")
