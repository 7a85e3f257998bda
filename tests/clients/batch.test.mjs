import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, makePeople, makePosts, PASSWORD, refused, signedUp, superuser, unique } from "./support.mjs";

let admin;
let people;
let posts;
let alice;

before(async () => {
  admin = await superuser();
  people = await makePeople(admin);
  posts = await makePosts(admin, people);
  alice = await signedUp(people);
});

const mine = (values) => ({ author: alice.authStore.record.id, title: "Hello", ...values });
const newId = () => unique("").replace("_", "").padEnd(15, "x").slice(0, 15);

test("creates, updates, upserts and deletes in one request", async () => {
  const [first, second] = [newId(), newId()];
  await alice.collection(posts.name).create(mine({ id: first, score: 1 }));
  const batch = alice.createBatch();
  batch.collection(posts.name).create(mine({ title: "new", public: true }));
  batch.collection(posts.name).update(first, { "score+": 4 }, { fields: "id,score" });
  batch.collection(posts.name).upsert(mine({ id: second, title: "made" }));
  batch.collection(posts.name).upsert(mine({ id: second, title: "changed" }), { expand: "author" });
  batch.collection(posts.name).delete(first);
  const answers = await batch.send();
  assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200, 200, 204]);
  assert.equal(answers[0].body.title, "new");
  assert.deepEqual(answers[1].body, { id: first, score: 5 });
  assert.equal(answers[3].body.title, "changed");
  assert.equal(answers[3].body.expand.author.id, alice.authStore.record.id);
  await refused(alice.collection(posts.name).getOne(first), 404);
  assert.equal((await alice.collection(posts.name).getOne(second)).title, "changed");
});

test("one that fails undoes all, and says which", async () => {
  const id = newId();
  const batch = alice.createBatch();
  batch.collection(posts.name).create(mine({ id }));
  batch.collection(posts.name).create(mine({ title: "" }));
  const error = await refused(batch.send(), 400);
  assert.deepEqual(Object.keys(error.data.requests), ["1"]);
  assert.equal(error.data.requests[1].code, "batch_request_failed");
  assert.equal(error.data.requests[1].response.data.title.code, "validation_required");
  await refused(alice.collection(posts.name).getOne(id), 404);
});

test("each request is under its rule", async () => {
  const bob = await signedUp(people);
  const record = await alice.collection(posts.name).create(mine({ public: true }));
  for (const change of [
    (batch) => batch.collection(posts.name).update(record.id, { title: "stolen" }),
    (batch) => batch.collection(posts.name).upsert({ id: record.id, title: "stolen" }),
    (batch) => batch.collection(posts.name).delete(record.id),
    (batch) => batch.collection(posts.name).create(mine()),
  ]) {
    const batch = bob.createBatch();
    batch.collection(posts.name).create(mine({ author: bob.authStore.record.id }));
    change(batch);
    const error = await refused(batch.send(), 400);
    assert.ok([400, 404].includes(error.data.requests[1].response.status));
  }
  assert.equal((await alice.collection(posts.name).getOne(record.id)).title, "Hello");
  assert.equal((await bob.collection(posts.name).getList(1, 10, { filter: "author != '' && public = false" })).totalItems, 0);
});

test("accounts made in a batch can sign in", async () => {
  const client = connect();
  const emails = [1, 2, 3].map(() => `${unique("person")}@example.com`);
  const batch = client.createBatch();
  for (const email of emails) {
    batch.collection(people.name).create({ email, password: PASSWORD, passwordConfirm: PASSWORD });
  }
  assert.equal((await batch.send()).length, 3);
  for (const email of emails) {
    await client.collection(people.name).authWithPassword(email, PASSWORD);
    assert.ok(client.authStore.isValid);
  }
});

test("too many are refused", async () => {
  const batch = alice.createBatch();
  for (let n = 0; n < 51; n++) batch.collection(posts.name).create(mine());
  const error = await refused(batch.send(), 400);
  assert.equal(error.data.requests.code, "validation_length_too_long");
});
