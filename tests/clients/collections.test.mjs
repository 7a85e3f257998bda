import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, fieldError, makePeople, makePosts, refused, signedUp, superuser, unique } from "./support.mjs";

let admin;

before(async () => {
  admin = await superuser();
});

test("a superuser signs in and makes a collection that works at once", async () => {
  assert.equal(admin.authStore.isSuperuser, true);
  assert.equal(admin.authStore.record.collectionName, "_superusers");
  const name = unique("things");
  const made = await admin.collections.create({
    name,
    type: "base",
    listRule: "",
    createRule: "",
    fields: [{ name: "label", type: "text", required: true }],
  });
  assert.deepEqual(made.fields.map((field) => field.name), ["id", "label"]);
  assert.equal(made.listRule, "");
  assert.equal(made.viewRule, null);
  const guest = connect();
  const created = await guest.collection(name).create({ label: "first" });
  assert.equal((await guest.collection(name).getFullList())[0].id, created.id);
  await refused(guest.collection(name).getOne(created.id), 403);
});

test("a field is renamed and keeps its data", async () => {
  const made = await admin.collections.create({
    name: unique("things"),
    type: "base",
    fields: [{ name: "label", type: "text" }],
  });
  const created = await admin.collection(made.name).create({ label: "kept" });
  const fields = made.fields.map((field) => (field.name === "label" ? { ...field, name: "caption" } : field));
  await admin.collections.update(made.id, { fields: [...fields, { name: "count", type: "number" }] });
  const read = await admin.collection(made.name).getOne(created.id);
  assert.equal(read.caption, "kept");
  assert.equal(read.count, 0);
  assert.equal("label" in read, false);
});

test("a unique index refuses the second", async () => {
  const name = unique("things");
  const made = await admin.collections.create({
    name,
    type: "base",
    fields: [{ name: "code", type: "text" }],
    indexes: [`CREATE UNIQUE INDEX idx_${name} ON ${name} (code)`],
  });
  await admin.collection(made.name).create({ code: "a" });
  fieldError(await refused(admin.collection(made.name).create({ code: "a" }), 400), "code", "validation_not_unique");
  await admin.collection(made.name).create({ code: "b" });
});

test("a broken rule is refused and changes nothing", async () => {
  const made = await admin.collections.create({ name: unique("things"), type: "base", listRule: "" });
  const answer = await refused(admin.collections.update(made.id, { listRule: "nothing = 1" }), 400);
  assert.ok(answer.data.listRule, JSON.stringify(answer));
  assert.equal((await admin.collections.getOne(made.id)).listRule, "");
});

test("a name is taken once", async () => {
  const made = await admin.collections.create({ name: unique("things"), type: "base" });
  const answer = await refused(admin.collections.create({ name: made.name, type: "base" }), 400);
  assert.ok(answer.data.name, JSON.stringify(answer));
});

test("a deleted collection is gone with its records", async () => {
  const made = await admin.collections.create({ name: unique("things"), type: "base", listRule: "" });
  await admin.collection(made.name).create({});
  await admin.collections.delete(made.id);
  await refused(admin.collections.getOne(made.id), 404);
  await refused(connect().collection(made.name).getList(), 404);
});

test("a collection that others point to stays", async () => {
  const people = await makePeople(admin);
  await makePosts(admin, people);
  await refused(admin.collections.delete(people.id), 400);
  assert.equal((await admin.collections.getOne(people.id)).name, people.name);
});

test("collections are for superusers", async () => {
  await refused(connect().collections.getList(), 401);
  const people = await makePeople(admin);
  const person = await signedUp(people);
  await refused(person.collections.getList(), 403);
  await refused(person.collections.create({ name: unique("things"), type: "base" }), 403);
});

test("a wrong superuser password is refused", async () => {
  const client = connect();
  await refused(client.collection("_superusers").authWithPassword(process.env.CLIENT_EMAIL, "not-the-password"), 400);
  assert.equal(client.authStore.isValid, false);
});
