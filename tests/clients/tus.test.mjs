// tus-js-client, unmodified: a large upload whose server is killed on the way. Whoever runs this kills it when it
// reads "kill" on standard output, and starts it again.

import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { test } from "node:test";
import { Upload } from "tus-js-client";
import { connect, superuser, unique } from "./support.mjs";

const SIZE = 200 * 1024 * 1024;
const KILL_AT = 0.5;

const admin = await superuser();

/** Upload the bytes as the file of a record to be; the upload's id. */
function upload(bytes, metadata, headers, onProgress = () => {}) {
  return new Promise((resolve, reject) => {
    const started = new Upload(bytes, {
      endpoint: `${process.env.CLIENT_URL}/api/files/uploads`,
      headers,
      metadata,
      // A server that starts takes some seconds.
      retryDelays: Array(120).fill(250),
      onProgress,
      onError: reject,
      onSuccess: () => resolve(started.url.split("/").pop()),
    });
    started.start();
  });
}

test("an upload of 200 MB goes on after its server was killed", async () => {
  const videos = await admin.collections.create({
    name: unique("videos"),
    type: "base",
    listRule: "",
    viewRule: "",
    createRule: '@request.auth.id != ""',
    fields: [{ name: "file", type: "file", maxSize: SIZE }],
  });
  const bytes = Buffer.allocUnsafe(SIZE);
  randomFillSync(bytes);
  let killed = false;
  const headers = { Authorization: admin.authStore.token };
  const metadata = { collection: videos.name, field: "file", filename: "film.bin", filetype: "video/mp4" };
  const id = await upload(bytes, metadata, headers, (sent) => {
    if (!killed && sent > KILL_AT * SIZE) {
      killed = true;
      console.log("kill");
    }
  });
  assert.ok(killed);

  const record = await admin.collection(videos.name).create({ file: id });
  const answer = await fetch(connect().files.getURL(record, record.file));
  const received = createHash("sha256");
  for await (const piece of answer.body) received.update(piece);
  assert.equal(received.digest("hex"), createHash("sha256").update(bytes).digest("hex"));

  await assert.rejects(
    upload(Buffer.from("guest"), metadata, {}),
    (error) => error.originalResponse?.getStatus() === 403,
  );
});
