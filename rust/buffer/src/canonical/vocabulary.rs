//! The names that decide what may be renamed: builtins, and everything through which a program can see its own text.

/// True when `name` is a builtin of Python 3.14: a module that binds it falls back to the builtin where the binding is
/// absent, so it cannot be renamed at module level.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.binary_search(&name).is_ok()
}

/// Builtins and library functions that take a function or a generator and hand back neither it nor its text.
pub(super) const CONSUMERS: &[&str] = &[
    "accumulate", "all", "any", "cmp_to_key", "dict", "dropwhile", "filter", "frozenset", "groupby", "join", "list", "map",
    "max", "min", "next", "reduce", "set", "sort", "sorted", "starmap", "sum", "takewhile", "tuple",
];

/// Consumers whose first argument may be a function.
pub(super) const TAKE_FUNCTION_FIRST: &[&str] =
    &["cmp_to_key", "dropwhile", "filter", "map", "reduce", "starmap", "takewhile"];

/// Consumers whose second argument may be a function.
pub(super) const TAKE_FUNCTION_SECOND: &[&str] = &["accumulate", "groupby"];

/// Consumers whose only or first argument may be a generator.
pub(super) const TAKE_GENERATOR: &[&str] =
    &["all", "any", "dict", "frozenset", "list", "max", "min", "next", "reduce", "set", "sorted", "sum", "tuple"];

/// Methods of builtin types that take keywords; no parameter of the program is meant, unless a class defines one.
pub(super) const BUILTIN_METHODS: &[&str] = &[
    "decode", "encode", "expandtabs", "format", "from_bytes", "hex", "replace", "rsplit", "sort", "split", "splitlines",
    "to_bytes",
];

/// Library functions that pass keywords on to a function of the program.
pub(super) const PASS_KEYWORDS_ON: &[&str] =
    &["call", "callback", "contextmanager", "partial", "partialmethod", "register", "singledispatch", "update_wrapper", "wraps"];

/// Builtins that turn a value into text, and so a function into its name.
pub(super) const STRINGIFIERS: &[&str] = &["ascii", "format", "print", "repr", "str", "type"];

/// Attributes that do so.
pub(super) const STRINGIFYING_ATTRIBUTES: &[&str] = &[
    "__class__", "__format__", "__repr__", "__str__", "format", "imod", "mod", "pformat", "pp", "pprint",
    "safe_substitute", "substitute",
];

/// Names through which a program can reach its own source, frames or anything by a name built at run time.
pub(super) const REFLECTIVE_NAMES: &[&str] = &[
    "__annotations__", "__builtins__", "__cached__", "__doc__", "__file__", "__import__", "__loader__", "__package__",
    "__path__", "__spec__", "attrgetter", "breakpoint", "compile", "dir", "eval", "exec", "get_type_hints", "globals",
    "help", "locals", "methodcaller", "vars",
];

/// Attributes through which it can.
pub(super) const REFLECTIVE_ATTRIBUTES: &[&str] = &[
    "Formatter", "_current_frames", "_getframe", "attrgetter", "displayhook", "exc_info", "excepthook", "exception",
    "format_map", "get_type_hints", "getsizeof", "gettrace", "methodcaller", "modules", "setprofile", "settrace",
    "vformat", "with_traceback",
];

/// Prefixes of the attributes of code objects, frames, generators and tracebacks.
pub(super) const REFLECTIVE_PREFIXES: &[&str] =
    &["ag_", "co_", "cr_", "f_back", "f_builtins", "f_code", "f_globals", "f_last", "f_line", "f_locals", "f_trace", "gi_", "tb_"];

/// Attributes that give a function's or a class's name.
pub(super) const NAMING_ATTRIBUTES: &[&str] = &["__name__", "__qualname__"];

/// Special methods that a program may call or define without seeing any name.
pub(super) const PLAIN_DUNDERS: &[&str] = &[
    "__abs__", "__add__", "__aiter__", "__and__", "__anext__", "__bool__", "__call__", "__class__", "__contains__",
    "__delitem__", "__divmod__", "__enter__", "__eq__", "__float__", "__floordiv__", "__format__", "__ge__", "__getitem__",
    "__gt__", "__hash__", "__iadd__", "__iand__", "__index__", "__init__", "__int__", "__invert__", "__ior__", "__isub__",
    "__iter__", "__le__", "__len__", "__lt__", "__missing__", "__mod__", "__mul__", "__ne__", "__neg__", "__new__",
    "__next__", "__or__", "__pos__", "__post_init__", "__pow__", "__radd__", "__repr__", "__reversed__", "__rmul__",
    "__round__", "__rsub__", "__rtruediv__", "__setitem__", "__slots__", "__str__", "__sub__", "__truediv__", "__xor__",
];

/// Modules that show a program nothing of itself. Any other import keeps the text as it is.
pub(super) const PLAIN_MODULES: &[&str] = &[
    "__future__", "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq",
    "io", "itertools", "json", "math", "numbers", "operator", "pprint", "queue", "random", "re", "secrets", "statistics",
    "string", "struct", "sys", "textwrap", "time", "typing", "unicodedata", "uuid", "zlib",
];

/// Members of those modules that hand a function over its own exception, and with it the names in the message.
pub(super) const EXCEPTION_HANDLERS: &[&str] = &["AsyncExitStack", "ExitStack", "__aexit__", "__exit__"];

/// Decorators of the library that neither show nor read the function's name.
pub(super) const PLAIN_DECORATORS: &[&str] =
    &["cache", "cached_property", "classmethod", "contextmanager", "dataclass", "lru_cache", "property", "staticmethod"];

/// Builtin types that an annotation may name without any effect.
pub(super) const PLAIN_TYPES: &[&str] =
    &["bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple", "type"];

/// Those that may be subscripted.
pub(super) const GENERIC_TYPES: &[&str] = &["dict", "frozenset", "list", "set", "tuple", "type"];

const BUILTINS: &[&str] = &[
    "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BaseExceptionGroup", "BlockingIOError",
    "BrokenPipeError", "BufferError", "BytesWarning", "ChildProcessError", "ConnectionAbortedError", "ConnectionError",
    "ConnectionRefusedError", "ConnectionResetError", "DeprecationWarning", "EOFError", "Ellipsis", "EncodingWarning",
    "EnvironmentError", "Exception", "ExceptionGroup", "False", "FileExistsError", "FileNotFoundError",
    "FloatingPointError", "FutureWarning", "GeneratorExit", "IOError", "ImportError", "ImportWarning", "IndentationError",
    "IndexError", "InterruptedError", "IsADirectoryError", "KeyError", "KeyboardInterrupt", "LookupError", "MemoryError",
    "ModuleNotFoundError", "NameError", "None", "NotADirectoryError", "NotImplemented", "NotImplementedError", "OSError",
    "OverflowError", "PendingDeprecationWarning", "PermissionError", "ProcessLookupError", "PythonFinalizationError",
    "RecursionError", "ReferenceError", "ResourceWarning", "RuntimeError", "RuntimeWarning", "StopAsyncIteration",
    "StopIteration", "SyntaxError", "SyntaxWarning", "SystemError", "SystemExit", "TabError", "TimeoutError", "True",
    "TypeError", "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError",
    "UnicodeWarning", "UserWarning", "ValueError", "Warning", "WindowsError", "ZeroDivisionError", "__build_class__",
    "__debug__", "__doc__", "__import__", "__loader__", "__name__", "__package__", "__spec__", "abs", "aiter", "all",
    "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes", "callable", "chr", "classmethod", "compile",
    "complex", "copyright", "credits", "delattr", "dict", "dir", "divmod", "enumerate", "eval", "exec", "exit", "filter",
    "float", "format", "frozenset", "getattr", "globals", "hasattr", "hash", "help", "hex", "id", "input", "int",
    "isinstance", "issubclass", "iter", "len", "license", "list", "locals", "map", "max", "memoryview", "min", "next",
    "object", "oct", "open", "ord", "pow", "print", "property", "quit", "range", "repr", "reversed", "round", "set",
    "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "type", "vars", "zip",
];

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lists_that_are_searched_by_halves_are_sorted() {
        for list in [BUILTINS, REFLECTIVE_NAMES, REFLECTIVE_ATTRIBUTES, PLAIN_DUNDERS, PLAIN_MODULES] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
