// Every line that ends in "// refused" is a mistake, and no other line is one.

import PocketBase from "pocketbase";
import type { TypedPocketBase } from "./world.js";

const pb = new PocketBase("http://127.0.0.1/p/demo") as TypedPocketBase;

export async function mistakes(): Promise<void> {
  pb.collection("nope"); // refused
  pb.collection("vault"); // refused
  const post = await pb.collection("posts").getOne("id");
  post.titel; // refused
  post.internal; // refused
  post.status = "other"; // refused
  post.expand?.kept; // refused
  post.expand?.posts_via_owner; // refused
  post.expand?.blog_posts_via_post?.kept; // refused
  const count: string = post.count; // refused
  const whole = { title: "A title", code: "A1", contact: "a@b.co", status: "draft" } as const;
  await pb.collection("posts").create({ ...whole });
  await pb.collection("posts").create({ title: "A title" }); // refused
  await pb.collection("posts").create({ ...whole, titel: "x" }); // refused
  await pb.collection("posts").create({ ...whole, count: "3" }); // refused
  await pb.collection("posts").create({ ...whole, tags: ["d"] }); // refused
  await pb.collection("posts").update("id", { "title+": 2 }); // refused
  await pb.collection("posts").update("id", { "count+": "2" }); // refused
  await pb.collection("posts").update("id", { created: new Date() }); // refused
  await pb.collection("blog_posts").create({}); // refused
  await pb.collection("summary").create({}); // refused
  await pb.collection("posts").update("id", { count: null }); // refused
  await pb.collection("posts").update("id", { photo: 5 }); // refused
  await pb.collection("posts").authWithPassword("a@b.co", "secret"); // refused
  await pb.collection("users").create({ email: "a@b.co", password: "x" }); // refused
  const user = await pb.collection("users").getOne("id");
  user.email.length; // refused
  user.tokenKey; // refused
  const batch = pb.createBatch();
  batch.collection("posts").create({ title: 1 }); // refused
  batch.collection("blogPosts").upsert({}); // refused
  console.log(count);
}
