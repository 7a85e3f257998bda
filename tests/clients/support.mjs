// What the tests of the official SDK share. Where the server is, and who its superuser is, comes from
// CLIENT_URL, CLIENT_SECOND_URL, CLIENT_EMAIL and CLIENT_PASSWORD.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { EventSource } from "eventsource";
import PocketBase, { ClientResponseError } from "pocketbase";

// Node 20 has no EventSource of its own; the SDK uses whatever the platform has.
globalThis.EventSource = EventSource;

export const PASSWORD = "long-enough-1";

/** A client of its own: signed out, and no request cancels another. */
export function connect(url = process.env.CLIENT_URL) {
  const client = new PocketBase(url);
  client.autoCancellation(false);
  return client;
}

export async function superuser(url) {
  const client = connect(url);
  await client.collection("_superusers").authWithPassword(process.env.CLIENT_EMAIL, process.env.CLIENT_PASSWORD);
  return client;
}

/** A name that no other test uses. */
export function unique(prefix) {
  return `${prefix}_${randomBytes(5).toString("hex")}`;
}

/** An auth collection whose people see and change themselves, and sign up freely. */
export async function makePeople(admin, name = unique("people")) {
  const own = "id = @request.auth.id";
  return admin.collections.create({
    name,
    type: "auth",
    listRule: own,
    viewRule: own,
    createRule: "",
    updateRule: own,
    deleteRule: own,
    fields: [{ name: "name", type: "text", max: 100 }],
  });
}

/** Posts of people: seen by everyone when public, else by their author alone, who also changes them. */
export async function makePosts(admin, people, name = unique("posts")) {
  const visible = "public = true || author = @request.auth.id";
  return admin.collections.create({
    name,
    type: "base",
    listRule: visible,
    viewRule: visible,
    createRule: '@request.auth.id != "" && author = @request.auth.id',
    updateRule: '@request.auth.id != "" && author = @request.auth.id',
    deleteRule: '@request.auth.id != "" && author = @request.auth.id',
    fields: [
      { name: "title", type: "text", required: true, max: 100 },
      { name: "public", type: "bool" },
      { name: "score", type: "number" },
      { name: "link", type: "url" },
      { name: "published", type: "date" },
      { name: "tags", type: "select", values: ["news", "draft", "sport"], maxSelect: 3 },
      { name: "extra", type: "json" },
      { name: "author", type: "relation", collectionId: people.id, maxSelect: 1 },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
  });
}

/** A new person of the collection, signed in on a client of their own. */
export async function signedUp(people, url) {
  const client = connect(url);
  const email = `${unique("person")}@example.com`;
  await client.collection(people.name).create({ email, password: PASSWORD, passwordConfirm: PASSWORD, name: "Alice" });
  await client.collection(people.name).authWithPassword(email, PASSWORD);
  return client;
}

/** Assert that the call is refused with this status, in the API's error shape; returns the error's body. */
export async function refused(promise, status) {
  let error;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  assert.ok(error, `expected an answer of ${status}, but the call succeeded`);
  assert.ok(error instanceof ClientResponseError, String(error));
  assert.equal(error.status, status, JSON.stringify(error.response));
  assert.deepEqual(Object.keys(error.response).sort(), ["data", "message", "status"]);
  assert.equal(error.response.status, status);
  assert.ok(error.response.message.length > 0);
  return error.response;
}

/** Assert that a field of an error body has this code, and a message for people. */
export function fieldError(body, field, code) {
  assert.equal(body.data[field]?.code, code, JSON.stringify(body.data));
  assert.ok(body.data[field].message.length > 0);
}

/** The events of a subscription, to be waited for one after another. */
export class Inbox {
  #events = [];
  #waiting = [];

  receive = (event) => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(event);
    else this.#events.push(event);
  };

  /** The next event; fails after ten seconds without one. */
  async next() {
    if (this.#events.length) return this.#events.shift();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no event came")), 10_000);
      this.#waiting.push((event) => {
        clearTimeout(timer);
        resolve(event);
      });
    });
  }

  /** Everything that came and was not yet taken. */
  rest() {
    return this.#events.splice(0);
  }
}

/** Run the calls, at most `width` at a time. */
export async function inParallel(width, calls) {
  const results = [];
  const waiting = calls.map((call, index) => [call, index]);
  const lane = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) results[job[1]] = await job[0]();
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
