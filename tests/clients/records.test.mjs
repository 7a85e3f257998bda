import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, fieldError, inParallel, makePeople, makePosts, refused, signedUp, superuser } from "./support.mjs";

let admin;
let people;
let posts;
let alice;
let bob;

before(async () => {
  admin = await superuser();
  people = await makePeople(admin);
  posts = await makePosts(admin, people);
  alice = await signedUp(people);
  bob = await signedUp(people);
});

/** A post of alice. */
function post(values = {}) {
  return alice.collection(posts.name).create({ title: "Hello", author: alice.authStore.record.id, ...values });
}

test("a record comes back as it was stored", async () => {
  const created = await post({
    title: "  Grüße, 世界 🌍 ",
    public: true,
    score: 4.25,
    link: "https://example.com/a?b=c",
    published: "2024-02-29 12:30:00.000Z",
    tags: ["news", "sport"],
    extra: { deep: [1, "two", null] },
  });
  assert.match(created.id, /^[a-z0-9]{15}$/);
  const read = await alice.collection(posts.name).getOne(created.id);
  assert.deepEqual(read, created);
  assert.equal(read.title, "  Grüße, 世界 🌍 ");
  assert.equal(read.score, 4.25);
  assert.equal(read.public, true);
  // PocketBase has a space where RFC 3339, and we, have a T; both read as the same moment.
  assert.equal(new Date(read.published).toISOString(), "2024-02-29T12:30:00.000Z");
  assert.deepEqual(read.tags, ["news", "sport"]);
  assert.deepEqual(read.extra, { deep: [1, "two", null] });
  assert.equal(read.collectionId, posts.id);
  assert.equal(read.collectionName, posts.name);
  assert.equal(Number.isNaN(Date.parse(read.created)), false);
});

test("what is left out has its zero value", async () => {
  const created = await post();
  assert.equal(created.score, 0);
  assert.equal(created.public, false);
  assert.equal(created.link, "");
  assert.equal(created.published, "");
  assert.deepEqual(created.tags, []);
  assert.equal(created.extra, null);
});

test("a client chooses an id once", async () => {
  const id = `a${Date.now()}0`.slice(0, 15).padEnd(15, "x");
  assert.equal((await post({ id })).id, id);
  fieldError(await refused(post({ id }), 400), "id", "validation_not_unique");
  assert.ok((await refused(post({ id: "NOT AN ID" }), 400)).data.id);
});

test("what is wrong with a record is said by field", async () => {
  const answer = await refused(post({ title: "", link: "nowhere", tags: ["news", "weather"] }), 400);
  fieldError(answer, "title", "validation_required");
  fieldError(answer, "link", "validation_invalid_url");
  fieldError(answer, "tags", "validation_invalid_value");
  assert.deepEqual(Object.keys(answer.data).sort(), ["link", "tags", "title"]);

  const long = await refused(post({ title: "x".repeat(101) }), 400);
  assert.equal(long.data.title.code, "validation_max_text_constraint");
});

test("a record is changed in part, and deleted", async () => {
  const created = await post({ score: 1, tags: ["news"] });
  const changed = await alice.collection(posts.name).update(created.id, { score: 2 });
  assert.equal(changed.score, 2);
  assert.equal(changed.title, "Hello");
  assert.deepEqual(changed.tags, ["news"]);
  assert.equal(changed.created, created.created);
  assert.equal(await alice.collection(posts.name).delete(created.id), true);
  await refused(alice.collection(posts.name).getOne(created.id), 404);
  await refused(alice.collection(posts.name).delete(created.id), 404);
});

test("create, view, update and delete are refused by rule", async () => {
  const hidden = await post({ title: "Mine alone" });
  const shown = await post({ title: "For all", public: true });

  await refused(bob.collection(posts.name).getOne(hidden.id), 404);
  await refused(connect().collection(posts.name).getOne(hidden.id), 404);
  await refused(bob.collection(posts.name).update(hidden.id, { title: "Taken" }), 404);
  // Visible is not writable.
  assert.equal((await bob.collection(posts.name).getOne(shown.id)).title, "For all");
  await refused(bob.collection(posts.name).update(shown.id, { title: "Taken" }), 404);
  await refused(bob.collection(posts.name).delete(shown.id), 404);
  // In another's name, and without one.
  await refused(bob.collection(posts.name).create({ title: "As alice", author: alice.authStore.record.id }), 400);
  await refused(connect().collection(posts.name).create({ title: "As guest" }), 400);

  assert.equal((await alice.collection(posts.name).getOne(hidden.id)).title, "Mine alone");
  assert.equal((await alice.collection(posts.name).getOne(shown.id)).title, "For all");
});

test("a list holds what its reader may see, filtered and sorted", async () => {
  const own = await makePosts(admin, people);
  const [a, b] = [alice.authStore.record.id, bob.authStore.record.id];
  for (const [title, author, score, isPublic] of [
    ["one", a, 1, true],
    ["two", a, 2, false],
    ["three", b, 3, true],
    ["four", b, 4, false],
  ]) {
    await admin.collection(own.name).create({ title, author, score, public: isPublic });
  }
  const titles = async (client, options) =>
    (await client.collection(own.name).getList(1, 50, { sort: "score", ...options })).items.map((item) => item.title);

  assert.deepEqual(await titles(alice), ["one", "two", "three"]);
  assert.deepEqual(await titles(bob), ["one", "three", "four"]);
  assert.deepEqual(await titles(connect()), ["one", "three"]);
  assert.deepEqual(await titles(admin, { sort: "-score" }), ["four", "three", "two", "one"]);
  assert.deepEqual(await titles(admin, { sort: "public,-score" }), ["four", "two", "three", "one"]);
  assert.deepEqual(await titles(alice, { filter: "score >= 2 && public = true" }), ["three"]);
  assert.deepEqual(await titles(alice, { filter: 'title ~ "o" && (score = 1 || score = 2)' }), ["one", "two"]);
  // A filter never shows more than the rule.
  assert.deepEqual(await titles(alice, { filter: "score = 4 || 1 = 1" }), ["one", "two", "three"]);

  const bound = alice.filter("title = {:title} && created <= {:now}", { title: "two", now: new Date(Date.now() + 60000) });
  assert.deepEqual(await titles(alice, { filter: bound }), ["two"]);
  const first = await alice.collection(own.name).getFirstListItem("score > 1", { sort: "-score" });
  assert.equal(first.title, "three");
  await assert.rejects(alice.collection(own.name).getFirstListItem("score > 100"), { status: 404 });

  await refused(alice.collection(own.name).getList(1, 10, { filter: "score >" }), 400);
  await refused(alice.collection(own.name).getList(1, 10, { filter: "nothing = 1" }), 400);
  await refused(alice.collection(own.name).getList(1, 10, { sort: "nothing" }), 400);
});

test("pages have a total, or skip it", async () => {
  const own = await makePosts(admin, people);
  for (let n = 0; n < 7; n++) await admin.collection(own.name).create({ title: `t${n}`, score: n, public: true });
  const page = await alice.collection(own.name).getList(2, 3, { sort: "score" });
  assert.deepEqual(
    { ...page, items: page.items.map((item) => item.score) },
    { page: 2, perPage: 3, totalItems: 7, totalPages: 3, items: [3, 4, 5] },
  );
  const uncounted = await alice.collection(own.name).getList(3, 3, { sort: "score", skipTotal: true });
  assert.deepEqual([uncounted.totalItems, uncounted.totalPages, uncounted.items.length], [-1, -1, 1]);
  const beyond = await alice.collection(own.name).getList(9, 3);
  assert.deepEqual([beyond.page, beyond.totalItems, beyond.items], [9, 7, []]);
});

test("a relation is expanded where its reader may see the other side", async () => {
  const created = await post({ public: true });
  const mine = await alice.collection(posts.name).getOne(created.id, { expand: "author" });
  assert.equal(mine.expand.author.id, alice.authStore.record.id);
  assert.equal(mine.expand.author.name, "Alice");
  // Bob sees the post, but not its author: the view rule of people holds here too.
  const other = await bob.collection(posts.name).getOne(created.id, { expand: "author" });
  assert.equal(other.expand?.author, undefined);
  const chosen = await alice.collection(posts.name).getOne(created.id, { expand: "author", fields: "title,expand.author.name" });
  assert.deepEqual(chosen, { title: "Hello", expand: { author: { name: "Alice" } } });
});

test("getFullList brings 2,500 records, each once and in order", { timeout: 100_000 }, async () => {
  const own = await makePosts(admin, people);
  const calls = Array.from({ length: 2500 }, (_, score) => () =>
    admin.collection(own.name).create({ title: `n${score}`, score, public: true }),
  );
  await inParallel(20, calls);
  const all = await alice.collection(own.name).getFullList({ sort: "-score" });
  assert.equal(all.length, 2500);
  assert.deepEqual(all.map((item) => item.score), Array.from({ length: 2500 }, (_, n) => 2499 - n));
  assert.equal(new Set(all.map((item) => item.id)).size, 2500);
});
