import assert from "node:assert/strict";
import { afterEach, before, beforeEach, test } from "node:test";
import { Inbox, connect, makePeople, makePosts, refused, signedUp, superuser } from "./support.mjs";

let admin;
let people;
let posts;
let alice;
let bob;

before(async () => {
  admin = await superuser();
  people = await makePeople(admin);
});

beforeEach(async () => {
  posts = await makePosts(admin, people);
  alice = await signedUp(people);
  bob = await signedUp(people);
});

afterEach(async () => {
  for (const client of [alice, bob]) await client.realtime.unsubscribe();
});

function create(values) {
  return alice.collection(posts.name).create({ title: "Hello", author: alice.authStore.record.id, ...values });
}

async function subscribe(client, topic = "*", options) {
  const inbox = new Inbox();
  await client.collection(posts.name).subscribe(topic, inbox.receive, options);
  return inbox;
}

test("who may see a record hears of it, who may not hears nothing", async () => {
  const guest = connect();
  const [hers, his, theirs] = [await subscribe(alice), await subscribe(bob), await subscribe(guest)];

  const created = await create({ title: "Mine alone" });
  assert.deepEqual(await hers.next(), { action: "create", record: created });
  const updated = await alice.collection(posts.name).update(created.id, { title: "Still mine" });
  assert.deepEqual(await hers.next(), { action: "update", record: updated });
  await alice.collection(posts.name).delete(created.id);
  const deleted = await hers.next();
  assert.equal(deleted.action, "delete");
  assert.equal(deleted.record.id, created.id);

  // The same three, seen by all: had the first three been sent to bob and the guest, they would have come before.
  const shown = await create({ title: "For all", public: true });
  await alice.collection(posts.name).update(shown.id, { score: 7 });
  await alice.collection(posts.name).delete(shown.id);
  for (const inbox of [hers, his, theirs]) {
    const events = [await inbox.next(), await inbox.next(), await inbox.next()];
    assert.deepEqual(events.map((event) => event.action), ["create", "update", "delete"]);
    assert.deepEqual(events.map((event) => event.record.id), [shown.id, shown.id, shown.id]);
    assert.deepEqual(inbox.rest(), []);
  }
  await guest.realtime.unsubscribe();
});

test("a topic of one record follows that record alone", async () => {
  const [one, other] = [await create({ public: true }), await create({ public: true })];
  const inbox = await subscribe(bob, one.id);
  await alice.collection(posts.name).update(other.id, { score: 1 });
  await alice.collection(posts.name).update(one.id, { score: 2 });
  const event = await inbox.next();
  assert.deepEqual([event.action, event.record.id, event.record.score], ["update", one.id, 2]);
  assert.deepEqual(inbox.rest(), []);
});

test("a subscription's own filter narrows what comes", async () => {
  const inbox = await subscribe(bob, "*", { filter: "score > 5" });
  await create({ public: true, score: 1 });
  await create({ public: true, score: 9 });
  const event = await inbox.next();
  assert.equal(event.record.score, 9);
  assert.deepEqual(inbox.rest(), []);
});

test("nothing comes after unsubscribing, and again after subscribing anew", async () => {
  const inbox = await subscribe(bob);
  await create({ public: true, score: 1 });
  assert.equal((await inbox.next()).record.score, 1);
  // A topic of the second record alone says when the server has told everyone of it.
  const id = "secondrecord000";
  const second = await subscribe(bob, id);
  await bob.collection(posts.name).unsubscribe("*");
  await create({ id, public: true, score: 2 });
  assert.equal((await second.next()).record.score, 2);
  const later = await subscribe(bob);
  await create({ public: true, score: 3 });
  assert.equal((await later.next()).record.score, 3);
  assert.deepEqual(inbox.rest(), []);
});

test("a collection without a list rule is heard by superusers alone", async () => {
  await admin.collections.update(posts.id, { listRule: null });
  const [his, theirs] = [await subscribe(bob), await subscribe(admin)];
  const created = await create({ public: true });
  assert.equal((await theirs.next()).record.id, created.id);
  // A rule that lets bob hear again: the event before it would have come first.
  await admin.collections.update(posts.id, { listRule: "" });
  const second = await create({ public: true });
  assert.equal((await his.next()).record.id, second.id);
  await admin.realtime.unsubscribe();
});

test("a client that the server does not know cannot subscribe", async () => {
  const call = alice.send("/api/realtime", {
    method: "POST",
    body: { clientId: "unknown", subscriptions: [`${posts.name}/*`] },
  });
  await refused(call, 404);
});
