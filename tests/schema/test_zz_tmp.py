from __future__ import annotations
import sys,json,re,httpx
sys.path.insert(0,"/tmp/setup/schema_pb")
def norm(x):
    if isinstance(x,str):
        if re.fullmatch(r"20[2-9]\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}Z",x): return "<date>" if not x.startswith("2020") else x.replace("T"," ")
        return re.sub(r'ex.: \S+"','ex.: X"',x)
    if isinstance(x,dict): return {k:norm(v) for k,v in x.items()}
    if isinstance(x,list): return [norm(v) for v in x]
    return x
def test_diff(project):
    from requests_list import R
    from projects.databases import write_session
    from projects.schema import create_collection,update_collection,delete_collection,import_collections,collection_to_json,view_collection
    from projects.errors import ApiError
    C=httpx.Client(base_url="http://127.0.0.1:18477",timeout=30)
    C.headers["Authorization"]=C.post("/api/collections/_superusers/auth-with-password",json={"identity":"root@example.com","password":"rootpass1234"}).json()["token"]
    ok=lambda rule,schema,collection: None
    def ours(m,p,b):
        try:
            with write_session(project) as s:
                n=p.rsplit("/",1)[1]
                if m=="POST": return 200,collection_to_json(create_collection(s,b,validate_rule=ok))
                if m=="PATCH": return 200,collection_to_json(update_collection(s,n,b,validate_rule=ok,confirm=True))
                if m=="DELETE": delete_collection(s,n,confirm=True); return 204,None
                if m=="PUT": import_collections(s,b,validate_rule=ok,confirm=True); return 204,None
        except ApiError as e: return e.status,e.as_json()
    ids={}
    def res(b,which):
        t=json.dumps(b); 
        for k in re.findall(r'"@(\w+)"',t): 
            t=t.replace(f'"@{k}"',json.dumps(ids[k]))
        return json.loads(t)
    bad=0
    for m,p,b in R:
        b2=res(b,0) if b is not None else None
        r=C.request(m,p,json=b2) if b2 is not None else C.request(m,p)
        pb=(r.status_code, r.json() if r.text else None)
        us=ours(m,p,b2)
        if pb[0]==200 and isinstance(pb[1],dict) and "name" in pb[1]: ids[pb[1]["name"]]=pb[1]["id"]
        a,c=norm(pb[1]),norm(us[1])
        if isinstance(a,dict) and "fields" in a and isinstance(c,dict) and "fields" in c:
            d={k:(a.get(k),c.get(k)) for k in set(a)|set(c) if a.get(k)!=c.get(k)}
            if "fields" in d: d["fields"]=[(x,y) for x,y in zip(a["fields"]+[None]*9,c["fields"]+[None]*9) if x!=y]
        else: d={} if a==c else (a,c)
        if pb[0]!=us[0] or d:
            bad+=1; print("##",m,p,json.dumps(b)[:200]); print("   PB",pb[0],"US",us[0]); print("   ",json.dumps(d,ensure_ascii=False)[:700])
    print(len(R),"requests",bad,"differ")
