import assert from "node:assert/strict";
import { before, test } from "node:test";
import { PASSWORD, connect, fieldError, makePeople, refused, signedUp, superuser, unique } from "./support.mjs";

let admin;
let people;

before(async () => {
  admin = await superuser();
  people = await makePeople(admin);
});

test("a person signs up and signs in", async () => {
  const client = connect();
  const email = `${unique("person")}@example.com`;
  const created = await client
    .collection(people.name)
    .create({ email, password: PASSWORD, passwordConfirm: PASSWORD, name: "Alice" });
  assert.equal(created.name, "Alice");
  assert.equal(created.collectionName, people.name);
  assert.equal(created.verified, false);
  assert.equal(created.password, undefined);
  assert.equal(created.tokenKey, undefined);
  assert.equal(created.email, undefined, "a guest does not see the e-mail");

  const answer = await client.collection(people.name).authWithPassword(email, PASSWORD);
  assert.equal(answer.record.id, created.id);
  assert.equal(answer.record.email, email);
  assert.equal(client.authStore.isValid, true);
  assert.equal(client.authStore.record.id, created.id);
  assert.equal(client.authStore.isSuperuser, false);
});

test("a wrong password and an unknown e-mail are refused alike", async () => {
  const client = await signedUp(people);
  const email = client.authStore.record.email;
  client.authStore.clear();
  const wrong = await refused(client.collection(people.name).authWithPassword(email, "not-the-password"), 400);
  const unknown = await refused(client.collection(people.name).authWithPassword("nobody@example.com", PASSWORD), 400);
  assert.deepEqual(wrong, unknown);
  assert.deepEqual(wrong.data, {});
  assert.equal(client.authStore.isValid, false);
});

test("what is wrong with a sign-up is said by field", async () => {
  const client = connect();
  const body = { email: `${unique("person")}@example.com`, password: PASSWORD, passwordConfirm: PASSWORD };
  const refusedFor = async (values) => refused(client.collection(people.name).create({ ...body, ...values }), 400);
  fieldError(await refusedFor({ passwordConfirm: "another-one" }), "passwordConfirm", "validation_values_mismatch");
  fieldError(await refusedFor({ email: "not-an-address" }), "email", "validation_is_email");
  fieldError(await refusedFor({ email: "" }), "email", "validation_required");
  fieldError(await refusedFor({ password: "short", passwordConfirm: "short" }), "password", "validation_min_text_constraint");
});

test("an e-mail signs up once", async () => {
  const client = await signedUp(people);
  const email = client.authStore.record.email;
  const answer = await refused(
    connect().collection(people.name).create({ email, password: PASSWORD, passwordConfirm: PASSWORD }),
    400,
  );
  fieldError(answer, "email", "validation_not_unique");
});

test("auth methods tell a client how to sign in", async () => {
  const methods = await connect().collection(people.name).listAuthMethods();
  assert.equal(methods.password.enabled, true);
  assert.deepEqual(methods.password.identityFields, ["email"]);
  assert.equal(methods.oauth2.enabled, false);
  assert.equal(methods.otp.enabled, false);
  assert.equal(methods.mfa.enabled, false);
});

test("a token is refreshed, and only a good one", async () => {
  const client = await signedUp(people);
  const refreshed = await client.collection(people.name).authRefresh();
  assert.equal(refreshed.record.id, client.authStore.record.id);
  assert.equal(client.authStore.isValid, true);
  // The new token works.
  await client.collection(people.name).getOne(refreshed.record.id);

  const forger = connect();
  const [head, claims] = refreshed.token.split(".");
  forger.authStore.save(`${head}.${claims}.${"A".repeat(43)}`, refreshed.record);
  await refused(forger.collection(people.name).authRefresh(), 401);
  await refused(connect().collection(people.name).authRefresh(), 401);
});

test("a person sees and changes themselves, and nobody else", async () => {
  const [alice, bob] = [await signedUp(people), await signedUp(people)];
  const id = alice.authStore.record.id;
  const list = await alice.collection(people.name).getList(1, 10);
  assert.deepEqual(list.items.map((item) => item.id), [id]);
  const changed = await alice.collection(people.name).update(id, { name: "Alice the second" });
  assert.equal(changed.name, "Alice the second");

  await refused(bob.collection(people.name).getOne(id), 404);
  await refused(bob.collection(people.name).update(id, { name: "Bob was here" }), 404);
  await refused(bob.collection(people.name).delete(id), 404);
  assert.equal((await alice.collection(people.name).getOne(id)).name, "Alice the second");
});

test("a new password needs the old one and ends every session", async () => {
  const client = await signedUp(people);
  const { id, email } = client.authStore.record;
  const elsewhere = connect();
  await elsewhere.collection(people.name).authWithPassword(email, PASSWORD);

  const change = { password: "another-long-1", passwordConfirm: "another-long-1" };
  const missing = await refused(client.collection(people.name).update(id, change), 400);
  assert.ok(missing.data.oldPassword, JSON.stringify(missing));
  const wrong = await refused(client.collection(people.name).update(id, { ...change, oldPassword: "not-mine-at-all" }), 400);
  assert.ok(wrong.data.oldPassword, JSON.stringify(wrong));

  await client.collection(people.name).update(id, { ...change, oldPassword: PASSWORD });
  await refused(elsewhere.collection(people.name).authRefresh(), 401);
  await refused(connect().collection(people.name).authWithPassword(email, PASSWORD), 400);
  const again = await connect().collection(people.name).authWithPassword(email, "another-long-1");
  assert.equal(again.record.id, id);
});

test("a person does not make themselves verified", async () => {
  const client = await signedUp(people);
  const id = client.authStore.record.id;
  const answer = await refused(client.collection(people.name).update(id, { verified: true }), 400);
  fieldError(answer, "verified", "validation_values_mismatch");
  assert.equal((await admin.collection(people.name).getOne(id)).verified, false);
});
