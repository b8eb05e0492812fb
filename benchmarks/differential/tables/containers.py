"""Expressions over lists, tuples, dictionaries, sets, ranges and iterators."""

TABLE = {
    "list": """
[<any>, <any>, *<list>]
<list> + <list>
<list> * <small>
<list>[<small>:<small>]
<list>[::<small>]
<list>[<small>:<small>:<small>]
[<any v:any> for v in <list>]
[<int v:int> for v in <ints> if <bool v:int>]
[(v, w) for v in <range> for w in <str>]
[<any v:any> for v, *_ in <list>]
list(<str>)
list(<dict>)
list(<dict>.items())
list(<tuple>)
list(<range>)
sorted(<ints>)
sorted(<strs>, key=<func>)
sorted(<list>, reverse=<bool>)
sorted(<list>, key=repr)
sorted(<floats>)
sorted(<set>)
list(map(<func>, <list>))
list(map(<op>, <ints>, <ints>))
list(filter(<func>, <list>))
list(zip(<list>, <str>))
list(zip(<list>, <range>, strict=True))
list(enumerate(<list>, <small>))
list(reversed(<list>))
<str>.split()
<str>.split(<str>)
<str>.split(<str>, <small>)
<str>.rsplit(None, <small>)
<str>.rsplit(sep=<str>, maxsplit=<small>)
<str>.splitlines(<bool>)
<bytes>.split(<bytes>)
<bytes>.splitlines()
re.findall(<pattern>, <str>)
re.split(<pattern>, <str>)
re.split(<pattern>, <str>, maxsplit=<small>)
[m.span() for m in re.finditer(<pattern>, <str>)]
changed(<list>, "append", <any>)
changed(<list>, "extend", <any>)
changed(<list>, "insert", <small>, <any>)
changed(<list>, "pop", <small>)
changed(<list>, "remove", <any>)
changed(<list>, "reverse")
changed(<list>, "sort")
changed(<strs>, "sort", key=<func>)
changed(<list>, "__setitem__", <small>, <any>)
changed(<list>, "__setitem__", slice(<small>, <small>), <any>)
changed(<list>, "__setitem__", slice(None, None, <small>), <list>)
changed(<list>, "__delitem__", slice(<small>, <small>, <small>))
changed(<list>, "__iadd__", <any>)
changed(<list>, "__imul__", <small>)
list(itertools.chain(<list>, <str>))
list(itertools.chain.from_iterable(<list>))
list(itertools.islice(<list>, <small>, <small>))
list(itertools.islice(itertools.count(<num>, <num>), 4))
list(itertools.islice(itertools.cycle(<list>), <small>))
list(itertools.accumulate(<ints>))
list(itertools.accumulate(<list>, <op>))
list(itertools.accumulate(<floats>, initial=<num>))
list(itertools.combinations(<str>[:5], <small>))
list(itertools.permutations(<tuple>, <small>))
list(itertools.product(<tuple>, <range>))[:9]
list(itertools.combinations_with_replacement(<str>[:4], 2))
list(itertools.zip_longest(<list>, <str>, fillvalue=<any>))
[(k, list(g)) for k, g in itertools.groupby(<list>)]
[(k, len(list(g))) for k, g in itertools.groupby(<str>, key=<func>)]
list(itertools.takewhile(<func>, <list>))
list(itertools.dropwhile(<func>, <ints>))
list(itertools.filterfalse(<func>, <list>))
list(itertools.starmap(<op>, [<tuple>, (<int>, <int>)]))
list(itertools.compress(<list>, <list>))
list(itertools.pairwise(<list>))
list(itertools.batched(<str>, <small>))
[list(t) for t in itertools.tee(<list>, 2)]
list(itertools.repeat(<any>, <int> % 9))
heapq.nsmallest(<small>, <list>)
heapq.nlargest(<small>, <ints>, key=<func>)
list(heapq.merge(<ints>, <ints>))
heaped(<list>)
list(collections.deque(<list>, maxlen=<small>))
changed(collections.deque(<list>), "rotate", <small>)
changed(collections.deque(<ints>), "appendleft", <any>)
changed(collections.deque(<list>, <small>), "extend", <list>)
changed(collections.deque(<list>), "insert", <small>, <any>)
changed(collections.deque(<list>), "remove", <any>)
collections.Counter(<str>).most_common(<small>)
sorted(collections.Counter(<str>).items())
list(collections.OrderedDict(<dict>).items())
list(collections.ChainMap(<dict>, <dict>))
changed(array.array("i", <ints>), "append", <int>)
array.array("d", <floats>).tolist()
random.Random(<small>).sample(<list>, <small>)
random.Random(<small>).choices(<list>, k=<small>)
random.Random(<small>).choices(<ints>, weights=<floats>, k=3)
[random.Random(<int>).randint(<int>, <int>)]
[random.Random(<str>).random(), random.Random(<float>).getrandbits(<small>)]
shuffled(<small>, <list>)
copy.copy(<list>)
copy.deepcopy([<list>, <dict>])
json.loads(json.dumps(<list>))
statistics.multimode(<list>)
statistics.quantiles(<floats>, n=<small>)
list(struct.unpack(<code>, <bytes>))
list(struct.iter_unpack("<H", <bytes>))
list(divmod(<num>, <num>))
shlex.split(<str>)
textwrap.wrap(<str>, <small> + 5)
list(difflib.ndiff(<strs>, <strs>))
list(difflib.unified_diff(<strs>, <strs>, lineterm=""))
urllib.parse.parse_qsl(<str>)
list(csv.reader(<strs>))
list(graphlib.TopologicalSorter(<words>).static_order())
list(string.Formatter().parse(<str>))
[t.string for t in tokenize.generate_tokens(io.StringIO(<str>).readline)]
list(memoryview(<bytes>))
list(<bytes>)
list(<array>)
list(iter(functools.partial(next, iter(<list>)), <any>))
collected(<list>)
list(calendar.Calendar(<small>).itermonthdays(2024, <small>))
operator.itemgetter(<small>, <small>)(<list>)
bisected(<ints>, <num>)
[x for x in dir(<any>) if x.startswith("_" + <str>)]
list(vars(collections).keys() & <set>)
""",
    "ints": """
<ints> + <ints>
<ints>[<small>:]
[<int>, <int>, <int>]
list(<range>)
[v * <int> for v in <ints>]
sorted(<ints>, reverse=<bool>)
[len(v) for v in <strs>]
[ord(c) for c in <str>]
list(<bytes>)
[<int v:int> for v in <range>]
list(map(len, <strs>))
list(itertools.accumulate(<range>))
""",
    "floats": """
<floats> + <floats>
[<float>, <float>, <float>]
[v / <num> for v in <ints>]
[<float v:float> for v in <floats>]
[float(v) for v in <ints>]
sorted(<floats>)
[round(v, <small>) for v in <floats>]
""",
    "strs": """
<strs> + <strs>
<str>.split(<str>)
[<str>, <str>]
[<str v:str> for v in <strs>]
[v * <small> for v in <str>]
sorted(<strs>)
list(map(str, <list>))
[f"{v:<rawspec>}" for v in <floats>]
""",
    "tuple": """
(<any>, <any>)
<tuple> + <tuple>
<tuple> * <small>
<tuple>[<small>:<small>]
tuple(<list>)
(*<list>, <any>)
tuple(sorted(<ints>))
<str>.partition(<str>)
<str>.rpartition(<str>)
<bytes>.partition(<bytes>)
divmod(<num>, <num>)
math.frexp(<float>)
math.modf(<float>)
cmath.polar(<complex>)
(<float>).as_integer_ratio()
<dec>.as_tuple()
<dec>.as_integer_ratio()
struct.unpack(<code>, struct.pack(<code>, <num>))
<date>.isocalendar()[:2]
tuple(<date>.timetuple())
tuple(<stamp>.utctimetuple())
<range>.start, <range>.stop, <range>.step
slice(<any>, <any>, <any>).indices(<small>)
slice(<small>, <small>, <small>).indices(<int>)
groups(re.match(<pattern>, <str>))
groups(re.search(<pattern>, <str>))
groups(re.fullmatch(<pattern>, <str>))
re.subn(<pattern>, <str>, <str>)
tuple(urllib.parse.urlsplit(<str>))
posixpath.splitext(<str>)
posixpath.split(<str>)
colorsys.rgb_to_hsv(<float>, <float>, <float>)
calendar.monthrange(<int>, <small>)
(lambda *a, **k: (a, k))(*<list>, **<words>)
(lambda a, /, b=<any>, *, c=<any>: (a, b, c))(*<tuple>)
unpacked(<any>)
tuple(zip(*[<list>, <list>]))
(w := <any>, w)
""",
    "dict": """
{<any>: <any>, <any>: <any>}
{**<dict>, <any>: <any>}
<dict> | <dict>
dict(<list>)
dict(zip(<strs>, <list>))
dict(<words>, x=<any>)
dict.fromkeys(<list>, <any>)
dict.fromkeys(<str>)
{v: <any v:int> for v in <ints>}
{k: v for v, k in enumerate(<str>)}
{k: len(v) for k, v in <words>.items()}
changed(<dict>, "update", <dict>)
changed(<dict>, "pop", <any>)
changed(<dict>, "pop", <any>, <any>)
changed(<dict>, "popitem")
changed(<dict>, "setdefault", <any>, <any>)
changed(<dict>, "__setitem__", <any>, <any>)
changed(<dict>, "__delitem__", <any>)
changed(<dict>, "__ior__", <any>)
dict(collections.Counter(<str>))
collections.Counter(<str>) - collections.Counter(<str>)
collections.Counter(<str>) & collections.Counter(<str>)
collections.Counter(<words>) + collections.Counter(a=<int>)
collections.Counter(<list>)
grouped(<list>, <func>)
dict(reversed(<dict>.items()))
json.loads(<str>)
json.loads(json.dumps(<words>))
urllib.parse.parse_qs(<str>)
copy.deepcopy(<dict>)
collections.OrderedDict(<list>)
changed(collections.OrderedDict(<words>), "move_to_end", <str>)
dict(collections.ChainMap(<words>, <words>))
groupdict(re.match(<pattern>, <str>))
string.Formatter().vformat(<str>, <tuple>, <words>) or <dict>
collections.namedtuple("P", "x y")(<any>, <any>)._asdict()
configured(<str>)
""",
    "words": """
{<str>: <any>, <str>: <any>}
<words> | <words>
{k: <any> for k in <strs>}
dict(a=<any>, b=<any>)
dict.fromkeys(<strs>, <any>)
""",
    "set": """
<set> | <set>
<set> & <set>
<set> - <set>
<set> ^ <set>
set(<ints>)
{<int>, <int>, <num>}
{<int v:int> for v in <ints>}
set(<range>)
<set>.union(<ints>, <range>)
<set>.difference(<ints>)
<set>.intersection(<range>)
<set>.symmetric_difference(<ints>)
changed(<set>, "add", <num>)
changed(<set>, "discard", <any>)
changed(<set>, "remove", <int>)
changed(<set>, "update", <ints>, <range>)
changed(<set>, "intersection_update", <ints>)
changed(<set>, "__ior__", <set>)
changed(<set>, "__isub__", <frozen>)
<set> | <frozen>
set(<frozen>)
{len(v) for v in <strs>}
<dict>.keys() & <set>
<dict>.keys() | <ints>
set(map(<func>, <ints>))
""",
    "frozen": """
frozenset(<ints>)
<frozen> | <set>
<frozen> & <set>
frozenset([<frozen>])
frozenset(map(abs, <ints>))
""",
    "range": """
range(<int> % 30)
range(<small>, <small>)
range(<small>, <int> % 40, <int>)
<range>[<small>:<small>]
<range>[::<small>]
reversed(<range>)
""",
    "any": """
<int>
<float>
<str>
<bytes>
<list>
<tuple>
<dict>
<bool>
<set>
<num>
<complex>
<frac>
<dec>
<date>
<delta>
<list>[<small>]
<tuple>[<small>]
<dict>[<any>]
<dict>.get(<any>)
<words>.get(<str>, <any>)
<any> if <any> else <any>
<any> or <any>
<any> and <any>
<any> + <any>
<any> * <any>
<any> - <any>
<any> % <any>
<any> < <any>
<any>[<any>]
max(<list>)
min(<any>, <any>)
max(<list>, key=<func>, default=<any>)
sum(<list>)
sum(<list>, <any>)
next(iter(<list>), <any>)
next(v for v in <list> if v)
functools.reduce(<op>, <list>)
functools.reduce(<op>, <list>, <any>)
(lambda v: <any v:any>)(<any>)
<func>(<any>)
<func>(<list>)
<op>(<any>, <any>)
getattr(<any>, <str>, <any>)
type(<any>)
len(<any>)
iter(<any>)
abs(<any>)
round(<any>)
hash(<tuple>)
ast.literal_eval(repr(<any>))
ast.literal_eval(<str>)
eval(repr(<any>))
eval(<str>)
pickle.loads(pickle.dumps(<any>))
copy.copy(<any>)
copy.deepcopy(<any>)
json.loads(<str>)
operator.attrgetter(<str>)(<any>)
operator.methodcaller(<str>)(<any>)
operator.itemgetter(<any>)(<any>)
statistics.mode(<list>)
statistics.median(<list>)
enum_member(<str>, <int>)
point(<any>, <any>)
flags(<int>)
functools.partial(<func>, <any>)()
functools.cmp_to_key(<op>)(<any>) < functools.cmp_to_key(<op>)(<any>)
exec_value(<str>)
(lambda: (yield <any>))().send(None)
[*map(<func>, <tuple>)]
random.Random(<small>).choice(<list>)
random.Random(<small>).randrange(<int>, <int>, <small>)
sys.getrecursionlimit() > <small>
int | <func>
<any>.__class__.__mro__
range(<int>, <int>, <int>)
range(<int>, <int>, <int>)[<small>:<small>]
len(range(<int>, <int>, <int>))
<int> in range(<int>, <int>, <int>)
range(<any>)
<any>.__eq__(<any>)
<any>.__add__(<any>)
<num>.__radd__(<num>)
<any>.__hash__ is None
<any>.__doc__ is None
ipaddress.ip_address(<int>)
ipaddress.ip_network(<str>)
uuid.UUID(int=<int>)
tomllib.loads(<str>)
decimal.Decimal.__add__(<dec>, <any>)
inspect.signature(<func>)
string.Template(<str>).substitute(<words>)
""",
    "date": """
<date> + <delta>
<date> - <delta>
<date>.replace(<int>, <small>)
<date>.replace(month=<small>)
date.fromordinal(<int>)
date.fromisoformat(<str>)
date.fromisocalendar(<int>, <small>, <small>)
max(<date>, <date>)
<stamp>.date()
""",
    "stamp": """
<stamp> + <delta>
<stamp> - <delta>
<stamp>.replace(hour=<small>)
datetime.combine(<date>, <stamp>.time())
datetime.fromisoformat(<stamp>.isoformat())
datetime.fromisoformat(<str>)
datetime.strptime(<date>.isoformat(), "%Y-%m-%d")
datetime.strptime(<stamp>.strftime(<form>), <form>)
datetime.fromtimestamp(<int>, timezone.utc)
datetime.fromtimestamp(<float>, timezone.utc)
<stamp>.astimezone(timezone(timedelta(hours=<small>)))
datetime(<int>, <small>, <small>, <small>)
""",
    "delta": """
<date> - <date>
<stamp> - <stamp>
<delta> + <delta>
<delta> * <num>
<delta> / <int>
<delta> // <int>
<delta> % <delta>
-<delta>
abs(<delta>)
timedelta(<num>)
timedelta(weeks=<num>, hours=<num>, milliseconds=<num>)
sum([<delta>, <delta>], timedelta())
""",
}
