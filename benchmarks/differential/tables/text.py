"""Expressions over text and bytes."""

TABLE = {
    "str": """
<str> + <str>
<str> * <small>
<str>[<small>]
<str>[<small>:<small>]
<str>[::<small>]
<str>[<small>:<small>:<small>]
<str>.upper()
<str>.lower()
<str>.title()
<str>.capitalize()
<str>.swapcase()
<str>.casefold()
<str>.strip()
<str>.strip(<str>)
<str>.lstrip(<str>)
<str>.rstrip()
<str>.replace(<str>, <str>)
<str>.replace(<str>, <str>, <small>)
<str>.replace(<str>, <str>, count=<small>)
<str>.center(<small> * 2, <str>)
<str>.ljust(<small> + 6)
<str>.rjust(<int> % 20, "*")
<str>.zfill(<small> + 4)
<str>.expandtabs(<small>)
<str>.join(<strs>)
<str>.join(<str>)
<str>.join(<list>)
<str>.format(<any>, <any>)
<str>.format(*<list>)
<str>.format_map(<words>)
<str>.removeprefix(<str>)
<str>.removesuffix(<str>)
<str>.translate({97: <str>, 98: None, 99: <int>})
<str>.translate(str.maketrans("abc", "xyz", <str>))
<str>.encode(<codec>, <errors>).hex()
<bytes>.decode(<codec>, <errors>)
<bytes>.decode(errors=<errors>)
str(<any>)
repr(<any>)
ascii(<any>)
repr(<list>)
str(<dict>)
repr(<set>)
str(<float>)
repr(<complex>)
str(<bytes>, "latin-1")
chr(<int>)
chr(<int> % 1000)
hex(<int>)
oct(<int>)
bin(<int>)
<float>.hex()
<bytes>.hex(<str>, <small>)
format(<num>, <spec>)
format(<int>, <spec>)
format(<float>, <spec>)
format(<str>, <spec>)
format(<complex>, <spec>)
format(<dec>, <spec>)
format(<frac>, <spec>)
format(<bool>, <spec>)
f"{<num>:<rawspec>}"
f"{<any>!r:>12}"
f"{<any>!s}{<any>!a}"
f"{<str>:{<small> + 5}}"
f"{<int>=}"
f"{<any> = !s:^9}"
f"{<float>:{<small> + 4}.{<small>}f}|"
"{:<rawspec>}".format(<num>)
"{0:<rawspec>} {1!r}".format(<num>, <any>)
"{a[0]} {b.real}".format(a=<list>, b=<num>)
"{:>{w}}".format(<any>, w=<small>)
<percent> % <any>
<percent> % <num>
<percent> % (<num>,)
<percent> % (<any>, <any>)
<percent> % <words>
"%(a)s %(b)5.1f" % {"a": <any>, "b": <num>}
<str> % <tuple>
type(<any>).__name__
json.dumps(<any>)
json.dumps(<dict>, sort_keys=<bool>)
json.dumps(<list>, indent=<small>)
json.dumps(<words>, ensure_ascii=False, separators=(",", ":"))
re.sub(<pattern>, <str>, <str>)
re.sub(<pattern>, lambda m: m.group().upper(), <str>, count=<small>)
re.sub(<pattern>, "<\\\\g<0>>", <str>)
re.escape(<str>)
textwrap.fill(<str>, <small> + 6)
textwrap.dedent(<str>)
textwrap.indent(<str>, <str>)
textwrap.shorten(<str>, <int> % 15)
string.capwords(<str>)
string.Template(<str>).safe_substitute(<words>)
unicodedata.normalize("NFC", <str>)
unicodedata.normalize("NFKD", <str>)
unicodedata.name(<str>, <str>)
unicodedata.category(<str>)
html.escape(<str>)
html.unescape(<str>)
reprlib.repr(<any>)
pprint.pformat(<any>, width=<small> + 10)
pprint.pformat(<dict>)
shlex.quote(<str>)
urllib.parse.quote(<str>)
urllib.parse.unquote(<str>)
urllib.parse.urlencode(<words>)
urllib.parse.urljoin(<str>, <str>)
posixpath.join(<str>, <str>)
posixpath.normpath(<str>)
str(<date>)
repr(<stamp>)
str(<delta>)
<date>.strftime(<form>)
<stamp>.strftime(<form>)
<stamp>.isoformat()
<stamp>.isoformat(" ", "milliseconds")
<date>.isoformat()
<date>.ctime()
random.Random(<small>).choice(<str>)
hashlib.md5(<bytes>).hexdigest()
hashlib.sha256(<bytes>).hexdigest()
hashlib.sha1(<bytes>).hexdigest()
hashlib.sha3_256(<bytes>).hexdigest()[:9]
hashlib.blake2b(<bytes>, digest_size=8).hexdigest()
min(<strs>)
max(<str>, key=<func>)
<strs>[<small>]
str(<str>)[<small>:]
"".join(sorted(<str>))
"".join(reversed(<str>))
"".join(c for c in <str> if c.isalpha())
difflib.get_close_matches(<str>, <strs>)
calendar.month(2024, <small>)
calendar.day_name[<small>]
quopri.encodestring(<bytes>).decode()
ast.dump(ast.parse(<str>, mode="eval"))
ast.unparse(ast.parse(repr(<any>)))
locals().get(<str>, <str>)
sys.intern(<str>)
io.StringIO(<str>).readline()
csv_row(<list>)
""",
    "bytes": """
<bytes> + <bytes>
<bytes> * <small>
<bytes>[<small>:<small>]
<bytes>[::<small>]
<bytes>.upper()
<bytes>.title()
<bytes>.strip()
<bytes>.replace(<bytes>, <bytes>)
<bytes>.join([<bytes>, <array>])
<bytes>.center(<small> + 6, b"-")
<bytes>.zfill(<small> + 4)
<bytes>.translate(None, <bytes>)
<bytes>.expandtabs(<small>)
<str>.encode()
<str>.encode(<codec>)
<str>.encode(<codec>, <errors>)
bytes(<ints>)
bytes(<small>)
bytes.fromhex(<str>)
<percent>.encode() % <any>
b"%d %s" % (<num>, <bytes>)
(<int>).to_bytes(<small> + 4, "big")
(<int>).to_bytes(8, "little", signed=True)
bytes(<array>)
bytes(reversed(<bytes>))
struct.pack(<code>, <num>)
struct.pack(<code>, <int>, <int>)
base64.b64encode(<bytes>)
base64.b64decode(<bytes>)
base64.b32encode(<bytes>)
base64.b16encode(<bytes>)
base64.b85encode(<bytes>)
base64.a85encode(<bytes>)
base64.urlsafe_b64encode(<bytes>)
binascii.hexlify(<bytes>)
binascii.b2a_base64(<bytes>)
zlib.decompress(zlib.compress(<bytes>))
pickle.dumps(<any>, 2)
random.Random(<small>).randbytes(<small>)
memoryview(<bytes>)[<small>:].tobytes()
memoryview(<bytes>).cast("b").tolist()
hashlib.new("sha512", <bytes>).digest()[:4]
hmac.digest(<bytes>, <bytes>, "sha256")[:4]
array.array("h", <ints>).tobytes()
""",
    "array": """
<array> + <bytes>
<array> * <small>
bytearray(<ints>)
bytearray(<str>, "utf-8")
<array>[<small>:<small>]
changed(<array>, "append", <int>)
changed(<array>, "extend", <ints>)
changed(<array>, "insert", <small>, <int>)
changed(<array>, "pop", <small>)
changed(<array>, "remove", <small>)
changed(<array>, "reverse")
changed(<array>, "__setitem__", slice(<small>, <small>), <bytes>)
changed(<array>, "__delitem__", slice(None, None, <small>))
""",
}
