// Two projects of one installation that look alike from outside: nothing of one is of use in the other.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Inbox, PASSWORD, connect, makePeople, makePosts, refused, superuser, unique } from "./support.mjs";

const URLS = [process.env.CLIENT_URL, process.env.CLIENT_SECOND_URL];
const EMAIL = "alice@example.com";

let projects;

before(async () => {
  const [peopleName, postsName] = [unique("people"), unique("posts")];
  projects = [];
  for (const url of URLS) {
    const admin = await superuser(url);
    const people = await makePeople(admin, peopleName);
    const posts = await makePosts(admin, people, postsName);
    const alice = connect(url);
    const password = `${PASSWORD}-${projects.length}`;
    await alice.collection(people.name).create({ email: EMAIL, password, passwordConfirm: password });
    await alice.collection(people.name).authWithPassword(EMAIL, password);
    projects.push({ url, admin, people, posts, alice, password });
  }
});

test("the same e-mail is another person in each project", async () => {
  const [one, two] = projects;
  assert.notEqual(one.alice.authStore.record.id, two.alice.authStore.record.id);
  await refused(connect(one.url).collection(one.people.name).authWithPassword(EMAIL, two.password), 400);
  await refused(connect(two.url).collection(two.people.name).authWithPassword(EMAIL, one.password), 400);
});

test("a token of one project makes a guest in the other", async () => {
  for (const [from, to] of [projects, projects.toReversed()]) {
    const stranger = connect(to.url);
    stranger.authStore.save(from.alice.authStore.token, from.alice.authStore.record);
    await refused(stranger.collection(to.people.name).authRefresh(), 401);
    assert.deepEqual((await stranger.collection(to.people.name).getList()).items, []);
    const admin = connect(to.url);
    admin.authStore.save(from.admin.authStore.token, from.admin.authStore.record);
    await refused(admin.collections.getList(), 401);
  }
});

test("a record of one project is unknown in the other", async () => {
  const [one, two] = projects;
  const created = await one.alice
    .collection(one.posts.name)
    .create({ title: "Here alone", public: true, author: one.alice.authStore.record.id });
  await refused(two.admin.collection(two.posts.name).getOne(created.id), 404);
  assert.deepEqual((await two.admin.collection(two.posts.name).getFullList()).map((item) => item.id), []);
  // The same id is free there, and both live on side by side.
  await two.admin.collection(two.posts.name).create({ id: created.id, title: "There" });
  assert.equal((await one.admin.collection(one.posts.name).getOne(created.id)).title, "Here alone");
  await two.admin.collection(two.posts.name).delete(created.id);
  assert.equal((await one.admin.collection(one.posts.name).getOne(created.id)).title, "Here alone");
});

test("events of one project are not heard in the other", async () => {
  const [one, two] = projects;
  const inboxes = [];
  for (const { url, posts } of projects) {
    const inbox = new Inbox();
    const client = connect(url);
    await client.collection(posts.name).subscribe("*", inbox.receive);
    inboxes.push([client, inbox]);
  }
  await one.admin.collection(one.posts.name).create({ title: "In the first", public: true });
  await two.admin.collection(two.posts.name).create({ title: "In the second", public: true });
  for (const [index, title] of ["In the first", "In the second"].entries()) {
    const [client, inbox] = inboxes[index];
    assert.equal((await inbox.next()).record.title, title);
    assert.deepEqual(inbox.rest(), []);
    await client.realtime.unsubscribe();
  }
});

test("a stream of one project cannot be used from the other", async () => {
  const [one, two] = projects;
  const client = connect(one.url);
  await client.collection(one.posts.name).subscribe("*", () => {});
  const body = { clientId: client.realtime.clientId, subscriptions: [`${two.posts.name}/*`] };
  await refused(connect(two.url).send("/api/realtime", { method: "POST", body }), 404);
  await client.realtime.unsubscribe();
});

test("a change of a collection in one project leaves the other as it was", async () => {
  const [one, two] = projects;
  await one.admin.collections.update(one.posts.name, { listRule: null });
  await refused(connect(one.url).collection(one.posts.name).getList(), 403);
  await connect(two.url).collection(two.posts.name).getList();
});
