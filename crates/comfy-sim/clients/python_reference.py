"""The package comfy-api-client for Python against a server: python_reference.py URL

Goes through the whole of the package: its routes one by one, then workflows with its HTTP tracker. Its WebSocket tracker calls
a method that the package does not have, on every server, and is left out.
"""

import asyncio
import sys

from comfy_api_client import create_client
from PIL import Image


def picture(image, prefix):
    """A workflow that inverts a picture of the input folder and saves it."""
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": image}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }


def check(what, holds):
    if not holds:
        raise SystemExit(f"failed: {what}")


async def routes(client):
    check("the page of the root is HTML", "<" in await client.get_index())
    check("embeddings are a list", isinstance(list(await client.get_embeddings()), list))
    check("extensions are a list", isinstance(list(await client.get_extensions()), list))
    stats = await client.get_system_stats()
    check("the server has devices", len(stats.devices) > 0)
    queue = await client.get_queue()
    check("nothing waits", len(queue.pending) == 0)
    check("no metadata of a model that is not there", await client.retrieve_metadata("checkpoints", "no.safetensors") is None)
    check("no picture that is not there", await client.retrieve_image("no.png") is None)
    await client.free_memory(unload_models=True, free_memory=True)
    await client.interrupt_processing()


async def files(client):
    """Uploads a picture and a mask for it; answers the name of the masked picture."""
    picture = Image.new("RGB", (64, 48), (200, 40, 10))
    uploaded = await client.upload_image("reference.png", picture, subfolder="client-test")
    check(f"uploaded as {uploaded}", (uploaded.name, uploaded.subfolder) == ("reference.png", "client-test"))
    back = await client.retrieve_image("reference.png", subfolder="client-test", type="input")
    check("the upload comes back", back.image.convert("RGB").getpixel((3, 3)) == (200, 40, 10))
    check("its name comes back", (back.filename, back.format) == ("reference.png", "png"))

    mask = Image.new("RGBA", (64, 48), (0, 0, 0, 128))
    masked = await client.upload_mask("reference-mask.png", mask, uploaded, subfolder="client-test")
    back = await client.retrieve_image(masked.name, subfolder=masked.subfolder, type="input")
    check("the mask is the picture's alpha", back.image.mode == "RGBA" and back.image.getpixel((3, 3)) == (200, 40, 10, 128))
    return uploaded


async def workflows(client, uploaded):
    name = f"{uploaded.subfolder}/{uploaded.name}"
    for _ in range(2):
        prompt = await client.submit_workflow(picture(name, "client-test/reference"))
        check("the prompt has no errors", not prompt.node_errors)
        result = await asyncio.wait_for(prompt.future, 30)
        (saved,) = result.output_images
        # 1 - 200/255 is a little under 55/255 in the server's numbers, and what is under is cut off
        check("the saved picture is inverted", saved.image.getpixel((3, 3)) == (54, 215, 245))
        check("it is a PNG of this prefix", saved.format == "png" and saved.filename.startswith("reference_"))

    check("it is among the completed", prompt.prompt_id in await client.get_completed_prompts())
    history = await client.get_history(prompt_id=prompt.prompt_id)
    check("its record has an end", history[prompt.prompt_id]["status"]["status_str"] == "success")
    await client.remove_from_history([prompt.prompt_id])
    check("its record is removed", await client.get_history(prompt_id=prompt.prompt_id) == {})


async def refused(client):
    """A workflow that the server refuses is an HTTP error of the package."""
    try:
        await client.submit_workflow({"1": {"class_type": "NoSuchNode", "inputs": {}}}, return_future=False)
    except Exception as error:  # of httpx, which the package does not wrap
        check(f"refused with 400: {error}", getattr(getattr(error, "response", None), "status_code", None) == 400)
    else:
        check("a workflow of an unknown class is refused", False)


async def main(url):
    async with create_client(url, start_state_tracker="http") as client:
        await routes(client)
        await workflows(client, await files(client))
        await refused(client)


asyncio.run(main(sys.argv[1]))
print("routes, uploads, masks, two workflows with the HTTP tracker, a refused one")
