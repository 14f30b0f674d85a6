"""The official proxy and SDK of the API v2 against a server: sdk_proxy.py URL FOLDER

`comfy-api-proxy` is started in front of the server and `comfy-sdk` talks to it: a picture is uploaded as an asset, workflows with
it are run, followed by events, cancelled, refused and listed, and the pictures are downloaded.
"""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from io import BytesIO

from PIL import Image


def check(what, holds):
    if not holds:
        raise SystemExit(f"failed: {what}")


def start_proxy(url, folder):
    """The proxy's process and its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = pathlib.Path(sys.executable).with_name("comfy-api-proxy")
    with open(folder / "proxy.log", "wb") as log:
        proxy = subprocess.Popen(
            [command, "run", "--comfyui", url, "--port", str(port), "--state-dir", folder / "state"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{address}/api/v2/health", timeout=5).read()
            return proxy, address
        except OSError:
            if proxy.poll() is not None:
                break
            time.sleep(0.1)
    proxy.kill()
    raise SystemExit(f"failed: the proxy did not start: {(folder / 'proxy.log').read_text()}")


def inverted(image, prefix):
    """A workflow that inverts a picture and saves it."""
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": image}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }


def slow(delay, salt):
    """A workflow of twenty steps with previews; it needs the server's test nodes."""
    inputs = {"steps": 20, "delay": delay, "preview": "JPEG", "salt": salt}
    return {
        "1": {"class_type": "ProbeProgress", "inputs": inputs},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "client-test/sdk-slow"}},
    }


def png(color):
    stream = BytesIO()
    Image.new("RGB", (64, 48), color).save(stream, "png")
    return stream.getvalue()


def use(client, folder):
    from comfy_sdk import ComfyError, NotFound
    from comfy_sdk.events import Preview, Progress, StatusChange

    # an asset in, a picture out
    asset = client.assets.from_bytes(png((10, 60, 200)), filename="sdk.png")
    job = client.run(client.workflows.from_json(inverted(asset, "client-test/sdk")), timeout=30)
    check(f"one output: {job.outputs}", [output.name for output in job.outputs] != [] and len(job.outputs) == 1)
    saved = folder / "saved.png"
    job.outputs[0].to_file(saved)
    check("the saved picture is inverted", Image.open(saved).getpixel((3, 3)) == (245, 195, 54))

    # one that takes time, with events
    job = client.submit(client.workflows.from_json(slow(0.1, job.id)))
    events = list(job.events())
    statuses = [event.status for event in events if isinstance(event, StatusChange)]
    check(f"it ends with a success: {statuses}", statuses[-1:] == ["succeeded"])
    steps = [event for event in events if isinstance(event, Progress)]
    check(f"progress is reported: {events}", steps and all(0 <= step.value <= 1 for step in steps))
    previews = [event for event in events if isinstance(event, Preview)]
    check("previews are pictures", previews and all(preview.to_pil().size[0] > 0 for preview in previews))
    check("its output is there", len(job.refresh().outputs) == 1)
    check("it is read again", client.jobs.get(job.id).status == "succeeded")
    check("it is listed", job.id in [each.id for each in client.list_jobs()])

    # one that is stopped
    job = client.submit(client.workflows.from_json(slow(1, job.id)))
    while job.refresh().status == "queued":
        time.sleep(0.05)
    job.cancel()
    check(f"it ends cancelled: {job.wait(timeout=30).status}", job.status == "canceled")

    # what goes wrong
    try:
        client.submit(client.workflows.from_json({"1": {"class_type": "NoSuchNode", "inputs": {}}}))
    except ComfyError as error:
        check(f"refused as a workflow: {error!r}", error.code == "invalid_workflow")
    else:
        check("a workflow of an unknown class is refused", False)
    try:
        client.jobs.get("00000000-0000-4000-8000-000000000000")
    except NotFound:
        pass
    else:
        check("a job that never was is not found", False)


def main(url, folder):
    folder = pathlib.Path(folder)
    proxy, address = start_proxy(url, folder)
    try:
        os.environ["COMFY_BASE_URL"] = address
        from comfy_sdk import Comfy

        with Comfy() as client:
            use(client, folder)
    finally:
        proxy.terminate()
        proxy.wait(10)


main(sys.argv[1], sys.argv[2])
print("an asset, a job, one followed by events with previews, one cancelled, the list of jobs, a refused workflow, downloads")
