// Files through the official SDK: created, appended, removed, read with thumb and token.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { deflateSync } from "node:zlib";

import { connect, fieldError, makePeople, refused, signedUp, superuser, unique } from "./support.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A PNG of one colour. */
function png(width, height) {
  const crcTable = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes) => {
    let c = 0xffffffff;
    for (const byte of bytes) c = crcTable[(c ^ byte) & 0xff] ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array(height).fill(Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 200)])));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** Width and height of a PNG. */
const sizeOf = (bytes) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];

async function bytesOf(url, options) {
  const answer = await fetch(url, { headers: { accept: "*/*" }, ...options });
  assert.equal(answer.status, 200, `${url}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

let admin, people, albums, alice;

before(async () => {
  admin = await superuser(process.env.CLIENT_URL);
  people = await makePeople(admin);
  albums = await admin.collections.create({
    name: unique("albums"),
    type: "base",
    listRule: "",
    viewRule: "owner = @request.auth.id",
    createRule: '@request.auth.id != ""',
    updateRule: "owner = @request.auth.id",
    deleteRule: "owner = @request.auth.id",
    fields: [
      { name: "title", type: "text" },
      { name: "cover", type: "file", maxSelect: 1, maxSize: 20_000_000, thumbs: ["40x30", "0x10"] },
      { name: "photos", type: "file", maxSelect: 3, mimeTypes: ["image/png"] },
      { name: "contract", type: "file", protected: true },
      { name: "owner", type: "relation", collectionId: people.id },
    ],
  });
  alice = await signedUp(people, process.env.CLIENT_URL);
});

const own = (values) => ({ owner: alice.authStore.record.id, ...values });
const photo = (name, bytes = png(8, 8)) => new File([bytes], name, { type: "image/png" });

test("a record is created with files, which come back byte for byte", async () => {
  const bytes = randomBytes(3_000_000);
  const album = await alice.collection(albums.name).create(
    own({ title: "Summer", cover: new File([bytes], "Big Cover.bin"), photos: [photo("One.png"), photo("Two.png")] }),
  );
  assert.equal(album.title, "Summer");
  assert.match(album.cover, /^big_cover_[a-z0-9]{10}\.bin$/);
  assert.equal(album.photos.length, 2);
  assert.equal(sha256(await bytesOf(alice.files.getURL(album, album.cover))), sha256(bytes));
  assert.equal(sha256(await bytesOf(alice.files.getURL(album, album.photos[1]))), sha256(png(8, 8)));
});

test("a record is created from a form", async () => {
  const form = new FormData();
  form.append("title", "From a form");
  form.append("owner", alice.authStore.record.id);
  form.append("photos", photo("a.png"));
  form.append("photos", photo("b.png"));
  const album = await alice.collection(albums.name).create(form);
  assert.equal(album.title, "From a form");
  assert.equal(album.photos.length, 2);
});

test("files are appended, removed, reordered and replaced", async () => {
  const collection = alice.collection(albums.name);
  const { id, photos: first } = await collection.create(own({ photos: [photo("first.png")] }));
  let album = await collection.update(id, { "photos+": photo("second.png") });
  assert.equal(album.photos[0], first[0]);
  assert.equal(album.photos.length, 2);
  album = await collection.update(id, { "+photos": [photo("zero.png")] });
  assert.match(album.photos[0], /^zero_/);
  album = await collection.update(id, { photos: [...album.photos].reverse() });
  assert.match(album.photos[2], /^zero_/);
  const gone = album.photos[1];
  album = await collection.update(id, { "photos-": [gone] });
  assert.equal(album.photos.length, 2);
  assert.equal((await fetch(alice.files.getURL(album, gone))).status, 404);
  album = await collection.update(id, { photos: [album.photos[0], photo("new.png")] });
  assert.equal(album.photos.length, 2);
  album = await collection.update(id, { photos: null });
  assert.deepEqual(album.photos, []);
});

test("what a field does not take is refused by name, and nothing is changed", async () => {
  const collection = alice.collection(albums.name);
  const album = await collection.create(own({ photos: [photo("a.png")] }));
  const text = new File(["no image"], "lie.png", { type: "image/png" });
  const cases = [
    [{ "photos+": [photo("b.png"), photo("c.png"), photo("d.png")] }, "validation_too_many_files"],
    [{ "photos+": text }, "validation_invalid_mime_type"],
    [{ photos: [...album.photos, "forged.png"] }, "validation_invalid_file"],
    [{ "photos+": photo("large.png", Buffer.concat([png(8, 8), Buffer.alloc(6_000_000)])) }, "validation_file_size_limit"],
  ];
  for (const [change, code] of cases) fieldError(await refused(collection.update(album.id, change), 400), "photos", code);
  const now = await collection.getOne(album.id);
  assert.deepEqual(now.photos, album.photos);
  await refused(connect(process.env.CLIENT_URL).collection(albums.name).create({ photos: [photo("a.png")] }), 400);
});

test("a thumb is served in the size that was asked for", async () => {
  const album = await alice.collection(albums.name).create(own({ cover: photo("wide.png", png(120, 60)) }));
  const thumb = (size) => bytesOf(alice.files.getURL(album, album.cover, { thumb: size }));
  assert.deepEqual(sizeOf(await thumb("40x30")), [40, 30]);
  assert.deepEqual(sizeOf(await thumb("0x10")), [20, 10]);
  assert.deepEqual(sizeOf(await thumb("100x100")), [100, 100]);
  assert.deepEqual(sizeOf(await thumb("33x33")), [120, 60]);
});

test("a part of a file can be had, and a download has a name", async () => {
  const album = await alice.collection(albums.name).create(own({ cover: new File(["0123456789"], "ten.txt") }));
  const url = alice.files.getURL(album, album.cover, { download: true });
  const answer = await fetch(url, { headers: { range: "bytes=2-4" } });
  assert.equal(answer.status, 206);
  assert.equal(await answer.text(), "234");
  assert.equal(answer.headers.get("content-range"), "bytes 2-4/10");
  assert.match(answer.headers.get("content-disposition"), /^attachment; filename=ten_/);
});

test("a protected file needs its owner's token", async () => {
  const bob = await signedUp(people, process.env.CLIENT_URL);
  const album = await alice.collection(albums.name).create(own({ contract: new File(["secret"], "contract.txt") }));
  const address = (options) => alice.files.getURL(album, album.contract, options);
  assert.equal((await fetch(address())).status, 404);
  assert.equal((await fetch(address(), { headers: { authorization: alice.authStore.token } })).status, 404);
  assert.equal((await fetch(address({ token: await bob.files.getToken() }))).status, 404);
  assert.equal((await fetch(address({ token: alice.authStore.token }))).status, 404);
  assert.equal((await bytesOf(address({ token: await alice.files.getToken() }))).toString(), "secret");
  assert.equal((await bytesOf(address({ token: await admin.files.getToken() }))).toString(), "secret");
  await refused(connect(process.env.CLIENT_URL).files.getToken(), 401);
});

test("a batch brings files", async () => {
  await admin.settings.update?.({ batch: { enabled: true, maxRequests: 50, timeout: 3 } }).catch(() => {});
  const batch = alice.createBatch();
  batch.collection(albums.name).create(own({ title: "first", photos: [photo("one.png")] }));
  batch.collection(albums.name).create(own({ title: "second", cover: new File(["x"], "two.txt") }));
  const [first, second] = await batch.send();
  assert.equal(first.body.photos.length, 1);
  assert.match(second.body.cover, /^two_/);
  assert.equal((await bytesOf(alice.files.getURL(second.body, second.body.cover))).toString(), "x");
});

test("files go with their record", async () => {
  const album = await alice.collection(albums.name).create(own({ cover: photo("a.png") }));
  await alice.collection(albums.name).delete(album.id);
  assert.equal((await fetch(alice.files.getURL(album, album.cover))).status, 404);
});
