// The ComfyUI editor in headless Chromium against a server that serves it: editor.mjs URL FOLDER
//
// What a person does: open the page, open a workflow from disk, press Run, watch, look at the picture. Leaves a screenshot of the
// run and one of its end in FOLDER. `CHROMIUM` names the browser, /usr/bin/chromium unless set.

import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const WORKFLOW = fileURLToPath(new URL("workflows/steps.json", import.meta.url));

function check(what, holds) {
  if (!holds) throw new Error(`failed: ${what}`);
}

/** What comes over the page's sockets and what goes wrong in the page. */
function watch(page) {
  const seen = { messages: new Map(), previews: 0, errors: [], prompts: [] };
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload !== "string") seen.previews += 1;
      else {
        const { type } = JSON.parse(payload);
        seen.messages.set(type, (seen.messages.get(type) ?? 0) + 1);
      }
    }),
  );
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (response.request().method() === "POST" && pathname.endsWith("/prompt")) seen.prompts.push(response.status());
    // What is on no server of a fresh user is a 404 there too; anything else that fails is not.
    if (response.status() >= 400 && !(response.status() === 404 && /\/user(data|\.css)/.test(pathname)))
      seen.errors.push(`${response.status()} ${response.request().method()} ${pathname}`);
  });
  return seen;
}

async function boot(page) {
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.getByTestId("queue-button").waitFor({ timeout: 90_000 });
  // A user who comes for the first time is shown the templates first.
  const templates = page.getByRole("dialog");
  await templates.first().waitFor({ timeout: 15_000 }).catch(() => {});
  await page.keyboard.press("Escape");
  await templates.first().waitFor({ state: "hidden", timeout: 15_000 });
}

async function load(page) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Control+o")]);
  await chooser.setFiles(WORKFLOW);
  await page.waitForFunction(() => document.title.includes("steps"));
  const nodes = await page.evaluate(() => window.app.graph.nodes.map((node) => [node.type, node.title, node.has_errors ?? false]));
  check(`the four nodes are there: ${JSON.stringify(nodes)}`, nodes.length === 4 && nodes.every(([, , broken]) => !broken));
}

/** How many pixels of a screenshot of the page are near a colour; decoded by the page itself. */
async function pixels(page, [red, green, blue]) {
  const picture = (await page.screenshot()).toString("base64");
  return page.evaluate(
    async ([picture, color]) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) count += color.every((value, i) => Math.abs(data[at + i] - value) < 8);
      return count;
    },
    [picture, [red, green, blue]],
  );
}

async function run(page, seen) {
  await page.evaluate(() => {
    window.titles = [];
    new MutationObserver(() => window.titles.push(document.title)).observe(document.querySelector("title"), { childList: true });
  });
  await page.getByTestId("queue-button").click();
  await page.waitForFunction(() => window.titles.some((title) => /^\[[1-9]\d*%\]/.test(title)), null, { timeout: 30_000 });
  await page.waitForFunction(() => window.app.graph.getNodeById(2).imgs?.[0]?.naturalWidth > 0, null, { timeout: 30_000 });
  await page.screenshot({ path: `${folder}/running.png` });
  await page.waitForFunction(() => window.app.graph.getNodeById(4).imgs?.[0]?.naturalWidth === 256, null, { timeout: 30_000 });
  await page.waitForFunction(() => !document.title.startsWith("["), null, { timeout: 30_000 });

  check(`one prompt is taken: ${seen.prompts}`, seen.prompts.join() === "200");
  check(`progress is told: ${[...seen.messages]}`, seen.messages.get("progress_state") > 3 && seen.messages.get("executed") >= 1);
  check(`previews are sent: ${seen.previews}`, seen.previews > 0);
  // 0xff8000 inverted
  let shown = 0;
  for (let tries = 0; tries < 20 && shown < 20_000; tries++) shown = await pixels(page, [0, 127, 255]);
  check(`the picture is on the screen: ${shown} pixels of it`, shown >= 20_000);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 640 } });
  const seen = watch(page);
  try {
    await boot(page);
    await load(page);
    await run(page, seen);
    check(`nothing failed: ${seen.errors.join("; ")}`, seen.errors.length === 0);
  } catch (error) {
    await page.screenshot({ path: `${folder}/failed.png` });
    throw new Error(`${error.message} ${JSON.stringify(seen.errors)}`);
  }
  await page.screenshot({ path: `${folder}/editor.png` });
  console.log(`booted, workflow opened, run with its own button, ${seen.messages.get("progress_state")} reports of progress, picture shown`);
} finally {
  await browser.close();
}
