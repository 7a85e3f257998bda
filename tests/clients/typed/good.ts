// A program of an app: everything in it must compile.

import PocketBase, { type RecordAuthResponse } from "pocketbase";
import type { PostsRecord, TypedPocketBase, UsersRecord } from "./world.js";

const pb = new PocketBase("http://127.0.0.1/p/demo") as TypedPocketBase;

export async function all(file: FormData): Promise<string[]> {
  const signedIn: RecordAuthResponse<UsersRecord> = await pb.collection("users").authWithPassword("a@b.co", "secret");
  const email: string | undefined = signedIn.record.email;
  await pb.collection("users").authRefresh();
  await pb.collection("users").create({ email: "a@b.co", password: "x", passwordConfirm: "x" });
  await pb.collection("users").update(signedIn.record.id, { oldPassword: "x", password: "y", passwordConfirm: "y" });

  const page = await pb.collection("posts").getList(1, 20, {
    filter: pb.filter("count > {:least}", { least: 3 }),
    expand: "owner,readers,blog_posts_via_post.post",
  });
  const post: PostsRecord | undefined = page.items[0];
  const status: "draft" | 'the "final"' = post!.status;
  const mood: "good" | "bad" | "" = post!.mood;
  const tags: ("a" | "b" | "c")[] = post!.tags;
  const owner: string | undefined = post!.expand?.owner?.name;
  const readers: string[] = post!.expand?.readers?.map((reader) => reader.id) ?? [];
  const naming: string[] = post!.expand?.blog_posts_via_post?.map((one) => one.expand?.post?.title ?? one.id) ?? [];
  const rating: number | null = post!.rating;
  const choice: "x" | "y" | "" | null = post!.choice;
  const far: number = post!.place.lon + post!.count;
  const first: string = post!["1st"];

  const made = await pb.collection("posts").create({
    title: "A title",
    code: "A1",
    contact: "a@b.co",
    status: "draft",
    due: new Date(),
    rating: null,
    spot: null,
    extra: { any: ["JSON"] },
    tags: ["a"],
  });
  await pb.collection("posts").create(file);
  const score: number | null = post!.score;
  const papers: string[] = post!.papers;
  await pb.collection("posts").update(made.id, { photo: new Blob(["x"]), "papers+": [new Blob()], score: null });
  await pb.collection("posts").update(made.id, { "count+": 2, "tags-": "a", "readers+": [signedIn.record.id] });
  await pb.collection("posts").update(made.id, { "slug:autogenerate": "" });
  await pb.collection("posts").subscribe("*", (event) => console.log(event.action, event.record.title));
  await pb.collection("blog_posts").getFullList({ sort: "-id" });
  await pb.collection("2fa").listAuthMethods();

  const batch = pb.createBatch();
  batch.collection("blogPosts").create({});
  batch.collection("blogPosts").upsert({ id: made.id });
  await batch.send();

  // What the generator does not know is still there.
  const other = await pb.collection("posts").getOne<PostsRecord & { internal: string }>(made.id);
  return [email ?? "", status, mood, ...tags, owner ?? "", ...readers, ...naming, String(far), first, other.internal, `${rating} ${choice}`, String(score), ...papers];
}
