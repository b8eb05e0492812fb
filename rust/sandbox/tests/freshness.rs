//! Nothing that a program does reaches a later one.

mod common;

use azr_sandbox::{Program, Sandbox};
use common::{guest, limits, run, run_all, text};

/// Each leaves something behind wherever it can think of.
const POLLUTERS: &[&str] = &[
    "import builtins\nbuiltins.canary = 'azr-canary'\nbuiltins.len = lambda x: 666",
    "import math\nmath.pi = 3\nmath.canary = 1",
    "import json, sys\njson.dumps = lambda *a: 'azr-canary'\nsys.modules['canary'] = json",
    "import sys\nsys.modules['re'] = None\nsys.modules.pop('json')\nsys.path.append('azr-canary')",
    "import collections\ncollections.Counter.most_common = lambda *a: 'azr-canary'",
    "import random\nrandom.seed(666)\nrandom.canary = 1",
    "canary = ['azr-canary' + str(i) for i in range(50_000)]\nf = canary",
    "import sys\nsys.setrecursionlimit(50)\nsys.stdout = None\nsys.canary = 1",
    "import os\nos.environ['canary'] = 'azr-canary'",
    "class A:\n    def __del__(self): print('late')\nimport sys\nsys.canary = A()",
    "import decimal\ndecimal.getcontext().prec = 2",
    "import sys\nsys.intern('azr-canary' * 3)\nprint('azr-canary')",
    "import string\nstring.ascii_letters = 'azr-canary'\nraise ValueError('azr-canary')",
    "while True: pass",
    "x = []\nwhile True: x.append('azr-canary' * 100)",
    "import sys\nsys.setrecursionlimit(10**9)\ndef g(): return g()\ng()",
    "while True: print('azr-canary')",
    "import os\nos._exit(1)",
];

/// Looks for all of it.
const DETECTOR: &str = "
import builtins, collections, decimal, gc, json, math, os, random, re, string, sys
def f(x):
    found = []
    for holder in (builtins, math, json, random, os, sys, string, collections):
        if hasattr(holder, 'canary'):
            found.append(holder.__name__)
    if 'canary' in sys.modules or 'canary' in os.environ or 'azr-canary' in sys.path:
        found.append('registry')
    if len([1, 2]) != 2 or math.pi != 3.141592653589793 or json.dumps([1]) != '[1]':
        found.append('patched')
    if collections.Counter('aab').most_common(1) != [('a', 2)] or string.ascii_letters[:2] != 'ab':
        found.append('patched library')
    if decimal.getcontext().prec != 28 or sys.getrecursionlimit() != 1000 or not re.match('a', 'a'):
        found.append('settings')
    if [name for name in globals() if name not in {
        'builtins', 'collections', 'decimal', 'gc', 'json', 'math', 'os', 'random', 're', 'string', 'sys', 'f',
    } and not name.startswith('__')]:
        found.append('globals')
    return found, random.random()
";

#[test]
fn canaries_are_never_seen_again() {
    let clean = text(&run(DETECTOR, "0"));
    assert!(clean.starts_with("([], 0."), "{clean}");
    let mut programs = Vec::new();
    let mut followers = Vec::new();
    for round in 0..12 {
        for polluter in POLLUTERS {
            programs.push(Program::script(*polluter));
            // Several followers: workers take turns, and one of them sat on the polluted instance. Each is a program of
            // its own: equal ones would be loaded together.
            for _ in 0..4 + round % 3 {
                followers.push(programs.len());
                programs.push(Program::call(format!("{DETECTOR}# {}", programs.len()), "f", "0"));
            }
        }
    }
    let outcomes = run_all(&programs);
    assert!(followers.len() > 1_000);
    for at in followers {
        assert_eq!(text(&outcomes[at]), clean);
    }
}

#[test]
fn one_worker_is_as_fresh_as_many() {
    let single = Sandbox::with_threads(&guest(), limits(), 1).unwrap();
    let clean = text(&run(DETECTOR, "0"));
    for polluter in POLLUTERS {
        single.run(&Program::script(*polluter)).unwrap();
        let after = single.run(&Program::call(DETECTOR, "f", "0")).unwrap();
        assert_eq!(text(&after), clean, "after {polluter}");
    }
}
