// The package @saintno/comfyui-sdk for JavaScript against a server: saintno.mjs URL
//
// Waits until its WebSocket is there, asks what a server is asked for, uploads a picture and runs workflows with the package's
// builder and wrapper, one of them with progress and previews and one whose node raises.

import { readFile } from "node:fs/promises";
import { CallWrapper, ComfyApi, PromptBuilder } from "@saintno/comfyui-sdk";

function check(what, holds) {
  if (!holds) throw new Error(`failed: ${what}`);
}

/** What a run of the workflow told: the outputs or the error, how many steps and previews were seen. */
function run(api, builder) {
  const seen = { steps: [], previews: 0 };
  return new Promise((resolve) => {
    new CallWrapper(api, builder)
      .onProgress((step) => seen.steps.push([step.value, step.max]))
      .onPreview((blob) => (seen.previews += blob.size > 0 ? 1 : 0))
      .onFinished((outputs) => resolve({ ...seen, outputs }))
      .onFailed((error) => resolve({ ...seen, error }))
      .run();
  });
}

async function questions(api) {
  check("there is a device", (await api.getSystemStats()).devices.length > 0);
  check("there are node classes", Object.keys(await api.getNodeDefs()).length > 300);
  check("a sampler is known", JSON.stringify(await api.getSamplerInfo()).includes("euler"));
  check("checkpoints are a list", Array.isArray(await api.getCheckpoints()));
  check("embeddings are a list", Array.isArray(await api.getEmbeddings()));
  check("extensions are a list", Array.isArray(await api.getExtensions()));
  check("there are folders of models", (await api.getModelTypes()).includes("checkpoints"));
  check("features are told", typeof (await api.getFeatures()) === "object");
  check("the log has lines", (await api.getTerminalLogs()).entries.length > 0);
  check("the users' storage is told", (await api.getUserConfig()).storage === "server");

  await api.storeSetting("client-test.saintno", { a: 1 });
  check("a setting is kept", (await api.getSetting("client-test.saintno")).a === 1);
  await api.storeUserData("client-test/saintno.json", { b: 2 }, { overwrite: true, stringify: true });
  check("a file of the user is kept", (await (await api.getUserData("client-test/saintno.json")).json()).b === 2);
  check("it is listed", (await api.listUserData("client-test", true)).includes("saintno.json"));
  await api.deleteUserData("client-test/saintno.json");
  await api.freeMemory(true, true);
}

async function workflows(api) {
  const workflow = JSON.parse(await readFile(new URL("workflows/steps.api.json", import.meta.url)));
  const builder = new PromptBuilder(workflow, ["salt", "color"], ["pictures"])
    .setInputNode("salt", "2.inputs.salt")
    .setInputNode("color", "1.inputs.color")
    .setOutputNode("pictures", "4");

  const ran = await run(api, builder.input("salt", `saintno ${Date.now()}`));
  check(`it ends well: ${ran.error}`, !ran.error);
  check(`steps are seen: ${JSON.stringify(ran.steps)}`, ran.steps.some(([value, max]) => value === max));
  check(`previews are seen: ${ran.previews}`, ran.previews > 0);
  const [picture] = ran.outputs.pictures.images;
  const bytes = Buffer.from(await (await api.getImage(picture)).arrayBuffer());
  check("the picture is a PNG", bytes.subarray(1, 4).toString() === "PNG");

  const cached = await run(api, builder.input("salt", builder.prompt["2"].inputs.salt));
  check(`it ends well a second time: ${cached.error}`, !cached.error);

  const uploaded = await api.uploadImage(bytes, "saintno.png", { override: true });
  check("the picture is uploaded", uploaded && uploaded.info.filename === "saintno.png");
  const inverted = new PromptBuilder(
    {
      1: { class_type: "LoadImage", inputs: { image: uploaded.info.filename } },
      2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "client-test/saintno" } },
    },
    [],
    ["pictures"],
  ).setOutputNode("pictures", "2");
  check("a workflow with the upload ends well", (await run(api, inverted)).outputs?.pictures.images.length === 1);

  const raises = new PromptBuilder({ 1: { class_type: "ProbeRaise", inputs: { kind: "ValueError", n: 3 } } }, [], ["none"]);
  const failed = await run(api, raises.setOutputNode("none", "1"));
  check(`a node that raises is an error: ${failed.error}`, failed.error instanceof Error);
}

const api = await new ComfyApi(process.argv[2]).init().waitForReady();
await questions(api);
await workflows(api);
check("jobs are in the history", Object.keys(await api.getHistories()).length > 0);
check("nothing waits", (await api.getQueue()).queue_pending.length === 0);
console.log("its questions, settings, files of the user, an upload, workflows with progress and previews, one that raises");
process.exit(0);
