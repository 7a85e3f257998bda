from django.http import HttpResponse
def collections(request, ref): return HttpResponse("")
create=edit=delete=collections
