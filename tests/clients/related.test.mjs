import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, Inbox, refused, superuser, unique } from "./support.mjs";

let admin;
let guest;
let orgs;
let posts;
let comments;
let details;
let acme;
let first;
let second;

const OPEN = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };

before(async () => {
  admin = await superuser();
  guest = connect();
  const make = (name, fields, options = {}) =>
    admin.collections.create({ name: unique(name), type: "base", ...OPEN, fields, ...options });
  orgs = await make("orgs", [{ name: "name", type: "text" }]);
  posts = await make("posts", [
    { name: "title", type: "text" },
    { name: "body", type: "editor" },
    { name: "due", type: "date" },
    { name: "done", type: "bool" },
    { name: "n", type: "number" },
  ]);
  comments = await make(
    "comments",
    [
      { name: "text", type: "text" },
      { name: "post", type: "relation", collectionId: posts.id, maxSelect: 1 },
      { name: "org", type: "relation", collectionId: orgs.id, maxSelect: 1 },
    ],
    { viewRule: "text != 'secret'" },
  );
  const name = unique("details");
  details = await admin.collections.create({
    name,
    type: "base",
    ...OPEN,
    fields: [{ name: "post", type: "relation", collectionId: posts.id, maxSelect: 1 }],
    indexes: [`CREATE UNIQUE INDEX \`one_${name}\` ON \`${name}\` (\`post\`)`],
  });
  acme = await admin.collection(orgs.name).create({ name: "Acme" });
  first = await admin.collection(posts.name).create({ title: "First", body: "<p>Hello <b>world</b></p><p>again</p>", n: 1 });
  second = await admin.collection(posts.name).create({ title: "Second", done: true });
  for (const text of ["one", "two", "secret"]) {
    await admin.collection(comments.name).create({ text, post: first.id, org: acme.id });
  }
  await admin.collection(details.name).create({ post: first.id });
});

const naming = () => `${comments.name}_via_post`;
const texts = (record) => record.expand[naming()].map((comment) => comment.text);

test("what names a record comes with it, as far as its rule shows it", async () => {
  const read = await guest.collection(posts.name).getOne(first.id, { expand: naming() });
  assert.deepEqual(texts(read), ["one", "two"]);
  assert.deepEqual(texts(await admin.collection(posts.name).getOne(first.id, { expand: naming() })), ["one", "two", "secret"]);
  const none = await guest.collection(posts.name).getOne(second.id, { expand: naming() });
  assert.equal(none.expand?.[naming()], undefined);
});

test("forth and back in one path, in lists too", async () => {
  const page = await guest.collection(posts.name).getList(1, 10, { expand: `${naming()}.org,${details.name}_via_post.post`, sort: "title" });
  assert.deepEqual(page.items.map((item) => item.title), ["First", "Second"]);
  assert.equal(page.items[0].expand[naming()][1].expand.org.name, "Acme");
  // One, where a unique index says that there is no other.
  assert.equal(page.items[0].expand[`${details.name}_via_post`].expand.post.id, first.id);
});

test("parts of what is expanded are chosen and shortened", async () => {
  const read = await guest.collection(posts.name).getOne(first.id, {
    expand: `${naming()}.org`,
    fields: `title,body:excerpt(8,true),expand.${naming()}.text,expand.${naming()}.expand.org.name:excerpt(2)`,
  });
  assert.deepEqual(read, {
    title: "First",
    body: "Hello wo...",
    expand: { [naming()]: [{ text: "one", expand: { org: { name: "Ac" } } }, { text: "two", expand: { org: { name: "Ac" } } }] },
  });
  const whole = await guest.collection(posts.name).getOne(first.id, { expand: naming(), fields: "*" });
  assert.deepEqual(texts(whole), ["one", "two"]);
});

test("answers to writes and batches are expanded", async () => {
  const options = { expand: `post.${naming()}` };
  const made = await guest.collection(comments.name).create({ text: "new", post: second.id }, options);
  assert.deepEqual(texts(made.expand.post), ["new"]);
  const batch = guest.createBatch();
  batch.collection(comments.name).create({ text: "newer", post: second.id }, options);
  batch.collection(posts.name).update(second.id, { "n+": 1 }, { expand: naming(), fields: `n,expand.${naming()}.text` });
  const answers = await batch.send();
  assert.deepEqual(texts(answers[0].body.expand.post), ["new", "newer"]);
  assert.deepEqual(answers[1].body, { n: 1, expand: { [naming()]: [{ text: "new" }, { text: "newer" }] } });
});

test("an event brings what names its record", async () => {
  const record = await guest.collection(posts.name).create({ title: "Live" });
  await guest.collection(comments.name).create({ text: "heard", post: record.id });
  const listener = connect();
  const inbox = new Inbox();
  await listener.collection(posts.name).subscribe(record.id, inbox.receive, { expand: naming(), fields: `title,expand.${naming()}.text` });
  await guest.collection(posts.name).update(record.id, { title: "Changed" });
  const event = await inbox.next();
  assert.deepEqual(event.record, { title: "Changed", expand: { [naming()]: [{ text: "heard" }] } });
  await listener.collection(posts.name).unsubscribe();
});

test("records are found by what names them", async () => {
  const found = async (filter) => (await guest.collection(posts.name).getFullList({ filter, sort: "title" })).map((item) => item.title);
  assert.deepEqual(await found(guest.filter(`${naming()}.text ?= {:text}`, { text: "two" })), ["First"]);
  assert.deepEqual(await found(guest.filter(`${naming()}.org.name ?~ {:name}`, { name: "cm" })), ["First"]);
  assert.deepEqual(await found(`${details.name}_via_post.id != ''`), ["First"]);
  await refused(guest.collection(posts.name).getList(1, 1, { filter: `${comments.name}_via_nope.text = 'x'` }), 400);
});

test("values of every kind are bound in filters", async () => {
  const own = await admin.collections.create({
    name: unique("bound"),
    type: "base",
    ...OPEN,
    fields: [
      { name: "title", type: "text" },
      { name: "due", type: "date" },
      { name: "done", type: "bool" },
      { name: "n", type: "number" },
    ],
  });
  const at = (hour) => new Date(Date.UTC(2026, 10, 27, hour, 30, 15, 123));
  for (const [title, hour, done, n] of [["it's \"quoted\" \\ {:n}", 1, true, 1.5], ["b", 2, false, -2], ["c", 3, true, 0]]) {
    await admin.collection(own.name).create({ title, due: at(hour), done, n });
  }
  await admin.collection(own.name).create({ title: "", n: 7 });
  const found = async (expression, values) =>
    (await guest.collection(own.name).getFullList({ filter: guest.filter(expression, values), sort: "n" })).map((item) => item.n);

  assert.deepEqual(await found("due = {:at}", { at: at(2) }), [-2]);
  assert.deepEqual(await found("due > {:at}", { at: at(1) }), [-2, 0]);
  assert.deepEqual(await found("due >= {:from} && due < {:to}", { from: at(1), to: at(3) }), [-2, 1.5]);
  assert.deepEqual(await found("due != {:none} && due < @now", { none: "" }).then((n) => n.length), at(3) < new Date() ? 3 : 0);
  assert.deepEqual(await found("due = {:none}", { none: null }), [7]);
  assert.deepEqual(await found("title = {:title}", { title: "it's \"quoted\" \\ {:n}" }), [1.5]);
  assert.deepEqual(await found("done = {:done}", { done: true }), [0, 1.5]);
  assert.deepEqual(await found("n = {:n} || n = {:m}", { n: -2, m: 1.5 }), [-2, 1.5]);
  assert.deepEqual(await found("title = {:title} || done = {:done}", { title: "' || 1=1 || '", done: null }), []);
});
