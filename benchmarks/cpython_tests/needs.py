"""What a test asks for that is not the language or its library: such a test is set aside, and says why.

Each line of a table is a file, a class of it, and names of that class's tests that were looked at one by one. A file alone
is one that cannot be imported.
"""

import re
from typing import Final

HOST: Final = re.compile(
    r"needs a host|absent_modules|'_Absent'|io.open likely isn't supported|\[Errno (2|30|38)\]|SkipTest'?[:,] '?needs |_testinternalcapi|_testcapi"
    r"|No usable temporary directory"
    r"|No module named '(_testcapi|_testlimitedcapi|_testsinglephase|_datetime|_pyio|test\.)"
    r"|has no attribute '(supports_follow_symlinks|times_result|n_unnamed_fields|FileIO)'|cannot import name 'FileIO'"
)
"""What is said where a file, a process, a network or the interpreter's own test modules are missing."""

THREADS: Final = """
test_functools TestLRUC test_lru_cache_threaded2
test_functools TestLRUPy test_lru_cache_threaded2
test_itertools TestBasicOps test_tee_concurrent
test_queue PyLifoQueueTest test_queue_join test_shutdown_immediate_join test_shutdown_immediate_put_join
test_queue PyLifoQueueTest test_shutdown_join test_shutdown_put_join
test_queue PyPriorityQueueTest test_queue_join test_shutdown_immediate_join test_shutdown_immediate_put_join
test_queue PyPriorityQueueTest test_shutdown_join test_shutdown_put_join
test_queue PyQueueTest test_queue_join test_shutdown_immediate_join test_shutdown_immediate_put_join test_shutdown_join
test_queue PyQueueTest test_shutdown_put_join
test_sched TestCase test_cancel_concurrent test_enter_concurrent
test_thread LockTests test_acquire_contended test_acquire_destroy test_acquire_release test_at_fork_reinit
test_thread LockTests test_constructor test_different_thread test_locked_repr test_reacquire test_repr
test_thread LockTests test_state_after_timeout test_thread_leak test_timeout test_try_acquire
test_thread LockTests test_try_acquire_contended test_weakref_deleted test_weakref_exists test_with
test_thread ThreadRunningTests test__count test_join_from_self test_join_then_self_join test_join_thread
test_thread ThreadRunningTests test_join_unstarted test_join_with_timeout test_nt_and_posix_stack_size
test_thread ThreadRunningTests test_set_done_unstarted test_start_duplicate_handle test_starting_threads
test_thread ThreadRunningTests test_unraisable_exception
"""
"""Threads that run at the same time: here a thread runs to its end where it is started."""

INNER: Final = """
test_ast.test_ast ASTOptimiziationTests test_folding_binop test_folding_comparator test_folding_iter test_folding_not
test_ast.test_ast ASTOptimiziationTests test_folding_subscript test_folding_tuple test_folding_type_param_in_class_def
test_ast.test_ast ASTOptimiziationTests test_folding_type_param_in_function_def test_folding_type_param_in_type_alias
test_ast.test_ast ASTOptimiziationTests test_folding_unaryop
test_ast.test_ast ASTValidatorTests test_stdlib_validates
test_ast.test_ast AST_Tests test_optimization_levels_const_folding
test_ast.test_ast ConstantTests test_singletons
test_builtin BuiltinTest test_compile_ast
test_bytes ByteArrayTest test_alloc test_init_alloc
test_compile TestSpecifics test_false_while_loop test_line_number_genexp
test_decimal CWhitebox test_c_immutable_types test_c_signaldict_segfault test_from_tuple test_invalid_override
test_decimal CWhitebox test_sizeof
test_dict DictTest test_container_iterator
test_dis BytecodeTests test_disassembled test_explicit_first_line test_from_traceback_dis test_info
test_dis CodeInfoTests test_code_info test_show_code
test_dis DisTests test_big_linenos test_bug_1333982 test_bug_42562 test_bug_708901 test_dis test_dis_with_offsets
test_dis DisTests test_disassemble_asyncwith test_disassemble_bytes test_disassemble_class
test_dis DisTests test_disassemble_class_method test_disassemble_fstring test_disassemble_instance_method
test_dis DisTests test_disassemble_instance_method_bytes test_disassemble_recursive test_disassemble_static_method
test_dis DisTests test_disassemble_str test_disassemble_try_finally test_disassemble_with test_intrinsic_1
test_dis DisTests test_kw_names test_widths
test_dis DisWithFileTests test_big_linenos test_bug_1333982 test_bug_42562 test_bug_708901 test_dis
test_dis DisWithFileTests test_dis_with_offsets test_disassemble_asyncwith test_disassemble_bytes
test_dis DisWithFileTests test_disassemble_class test_disassemble_class_method test_disassemble_fstring
test_dis DisWithFileTests test_disassemble_instance_method test_disassemble_instance_method_bytes
test_dis DisWithFileTests test_disassemble_recursive test_disassemble_static_method test_disassemble_str
test_dis DisWithFileTests test_disassemble_try_finally test_disassemble_with test_intrinsic_1 test_kw_names test_widths
test_dis InstructionTests test_default_first_line test_doubly_nested test_first_line_set_to_None test_jumpy test_nested
test_dis InstructionTests test_outer
test_dis TestBytecodeTestCase test_assert_not_in_with_arg_in_bytecode test_assert_not_in_with_arg_not_in_bytecode
test_dis TestBytecodeTestCase test_assert_not_in_with_op_not_in_bytecode
test_dis TestDisTraceback test_distb_explicit_arg test_distb_last_traceback
test_dis TestDisTracebackWithFile test_distb_explicit_arg test_distb_last_traceback
test_dis TestFinderMethods test_findlabels
test_dynamic RebindBuiltinsTests test_load_global_specialization_failure_keeps_oparg
test_frame TestIncompleteFrameAreInvisible test_entry_frames_are_invisible_during_teardown
test_fstring TestCase test_global
test_inspect.test_inspect TestGetsourceStdlib test_getsource_stdlib_abc test_getsource_stdlib_collections_abc
test_inspect.test_inspect TestGetsourceStdlib test_getsource_stdlib_decimal test_getsource_stdlib_tomllib
test_linecache
test_long LongTest test___sizeof__
test_marshal CompatibilityTestCase test0To3 test1To3 test2To3 test3To3
test_positional_only_arg PositionalOnlyTestCase test_annotations_constant_fold
test_set TestFrozenSet test_container_iterator
test_set TestFrozenSetSubclass test_container_iterator
test_set TestSet test_container_iterator
test_set TestSetSubclass test_container_iterator
test_str StrTest test_raiseMemError
test_sys SysModuleTest test_current_exceptions test_current_frames test_executable test_is_gil_enabled test_stdlib_dir
test_sys SysModuleTest test_thread_info
"""
"""How CPython is made: byte code, folding in the syntax tree, sizes in memory, when cycles are collected, its files."""

NEWER: Final = """
datetimetester TestDateTime test_strptime
datetimetester TestDateTimeTZ test_strptime
datetimetester TestSubclassDateTime test_strptime
test_ast.test_ast ASTValidatorTests test_nameconstant test_num
test_ast.test_ast AST_Tests test_classattrs_deprecated test_constant_subclasses_deprecated
test_ast.test_ast AST_Tests test_field_attr_existence_deprecated test_field_attr_writable_deprecated
test_ast.test_ast AST_Tests test_import_deprecated test_invalid_sum test_isinstance test_precedence_enum test_realtype
test_ast.test_ast NodeTransformerTests test_old_constant_nodes
test_ast.test_ast NodeVisitorTests test_old_constant_nodes
test_builtin BuiltinTest test_warning_notimplemented
test_bytes ByteArrayTest test_fromhex
test_bytes BytesTest test_fromhex
test_cmath CMathTests test_specific_values
test_codeop CodeopTests test_warning
test_complex ComplexTest test_constructor
test_coroutines CoroutineTest test_await_1 test_await_2 test_await_8
test_csv TestDialectValidity test_delimiter test_escapechar test_lineterminator test_quoting
test_dataclasses TestCase test_field_repr
test_dataclasses TestDocString test_docstring_one_field_with_default_none
test_dataclasses TestMakeDataclass test_no_types
test_descr ClassPropertiesAndMethods test_classmethods
test_difflib TestOutputFormat test_no_trailing_tab_on_empty_filedate test_tab_delimiter
test_difflib TestSFpatches test_html_diff
test_exceptions ExceptionTests testSyntaxErrorOffset
test_exceptions SyntaxErrorTests test_incorrect_constructor test_range_of_offsets
test_fnmatch TranslateTestCase test_translate
test_fractions FractionTest testMixedMultiplication test_format_f_presentation_type test_invalid_formats
test_frame TestFrameLocals test_delete
test_fstring TestCase test_conversions test_invalid_string_prefixes
test_functools TestPartialC test_partial_as_method
test_functools TestPartialCSubclass test_partial_as_method
test_functools TestPartialPy test_partial_as_method
test_functools TestPartialPySubclass test_partial_as_method
test_functools TestSingleDispatch test_invalid_registrations
test_future_stmt.test_future FutureTest test_future_import_braces test_future_import_star test_unknown_future_flag
test_grammar GrammarTests test_var_annot_custom_maps test_var_annot_metaclass_semantics test_var_annot_module_semantics
test_grammar GrammarTests test_var_annot_refleak test_var_annot_simple_exec
test_graphlib TestTopologicalSort test_prepare_multiple_times
test_hashlib HashLibTestCase test_blake2b test_blake2s
test_htmlparser HTMLParserTestCase test_EOF_in_charref test_broken_condcoms test_broken_invalid_end_tag
test_htmlparser HTMLParserTestCase test_cdata_with_closing_tags test_convert_charrefs test_starttag_junk_chars
test_htmlparser HTMLParserTestCase test_tolerant_parsing
test_inspect.test_inspect IsTestBase test__all__
test_inspect.test_inspect TestFormatAnnotation test_typing_replacement
test_inspect.test_inspect TestInterpreterStack test__all__
test_inspect.test_inspect TestIsMethodDescriptor test_builtin_descriptors
test_inspect.test_inspect TestPredicates test__all__ test_isroutine
test_inspect.test_inspect TestSignatureBind test_signature_bind_positional_only
test_inspect.test_inspect TestSignatureObject test_signature_as_callable test_signature_as_str
test_inspect.test_inspect TestSignatureObject test_signature_on_callable_objects test_signature_on_class
test_inspect.test_inspect TestSignatureObject test_signature_on_class_with_init
test_int IntTestCases test_int_returns_int_subclass test_intconversion
test_itertools SubclassWithKwargsTest test_keywords_in_subclass
test_itertools TestBasicOps test_accumulate test_chain_reducible test_chain_setstate test_combinations
test_itertools TestBasicOps test_combinations_with_replacement test_compress test_count test_count_with_step
test_itertools TestBasicOps test_cycle_copy_pickle test_cycle_setstate test_cycle_unpickle_compat test_dropwhile
test_itertools TestBasicOps test_filterfalse test_groupby test_islice test_map test_permutations
test_itertools TestBasicOps test_product_issue_25021 test_product_pickling test_repeat test_starmap test_takewhile
test_itertools TestBasicOps test_tee test_zip_longest_pickling
test_itertools TestExamples test_accumulate_reducible test_accumulate_reducible_none
test_long LongTest test_conversion
test_print TestPy2MigrationHint test_stream_redirection_hint_for_py2_migration
test_re ReTests test_other_escapes test_string_boundaries
test_statistics TestKDE test_kde_kernel_invcdfs
test_str StrTest test_capitalize_nonascii test_formatting test_printable_repr
test_sys ExceptHookTest test_excepthook_bytes_filename
test_textwrap LongWordTestCase test_break_long test_max_lines_long
test_timeit TestTimeit test_main_help
test_tokenize CTokenizeTest test_string
test_tokenize GenerateTokensTest test_string
test_tokenize TokenizeTest test_string
test_traceback MiscTest test_all
test_traceback PurePythonTracebackErrorCaretTests test_caret_in_type_annotation
test_type_annotations TestSetupAnnotations test_blocks test_match test_top_level test_try test_try_star
test_type_annotations TypeAnnotationTests test_annotations_are_created_correctly test_lazy_create_annotations
test_type_annotations TypeAnnotationTests test_setting_annotations
test_typing ForwardRefTests test_forward_equality_namespace test_forward_recursion_actually test_special_forms_forward
test_typing GenericTests test_extended_generic_rules_repr test_fail_with_bare_union
test_typing GetTypeHintTests test_get_type_hints_classes test_get_type_hints_modules test_top_level_class_var
test_typing SpecialAttrsTests test_special_attrs test_special_attrs2
test_typing TypeVarTests test_bad_var_substitution test_bound_errors
test_typing UnionTests test_cannot_subclass test_function_repr_union test_repr test_subclass_error
test_unicodedata UnicodeFunctionsTest test_function_checksum
test_unicodedata UnicodeMethodsTest test_method_checksum
test_unparse CosmeticTestCase test_backslash_in_format_spec test_fstrings
test_unparse UnparseTestCase test_constant_tuples
test_urlparse DeprecationTest test_Quoter_deprecation
test_userstring UserStringTest test_capitalize_nonascii
test_uuid TestUUIDWithoutExtModule test_exceptions
"""
"""What CPython 3.14 does otherwise than the 3.13 of a copy: the guest's library is 3.14's. Each was run under CPython
3.14.0 (Pyodide), where it fails too."""

EXAMPLES: Final = {
    ("test_generators", "__test__.pep"): ("next(k)",),
    ("test_genexps", "__test__.doctests"): ("next(g)",),
    ("test_syntax", "test.test_syntax"): (
        "with block ad something:; pass",
        "try:; pass; except A, B:; pass",
        "try:; pass; except A, B, C:; pass",
        "try:; pass; except A, B, C as blech:; pass",
        "try:; pass; except A, B, C as blech:; pass; finally:; pass",
        "try:; pass; except* A, B:; pass",
        "try:; pass; except* A, B, C:; pass",
        "try:; pass; except* A, B, C as blech:; pass",
        "try:; pass; except* A, B, C as blech:; pass; finally:; pass",
        "match ...:; case 42 as 1+2+4:; ...",
    ),
    ("test_unpack", "__test__.doctests"): (
        "a, b = t",
        "a, b = l",
        "() = [42]",
    ),
}
"""Of tests in documentation, the examples that CPython 3.14.0 fails, each on one line. Any other that fails is a failure of
the whole test."""

LARGE: Final = """
test_hashlib HashLibTestCase test_sha256_update_over_4gb test_sha3_256_update_over_4gb
"""
"""Gigabytes of data."""

REASONS: Final = {
    "large data": LARGE,
    "threads at the same time": THREADS,
    "how CPython is made": INNER,
    "newer in 3.14": NEWER,
}
WORDING: Final = re.compile(
    r"AssertionError', (['\"]).* does not match |not found in 'unsupported operand|str\(cm\.exception\)|str\(err\)"
)
"""Failures over the text of an exception alone, which differs (LIMITATIONS.md)."""


_FAILED_EXAMPLE: Final = re.compile("«(.*?)»")


def _set_aside() -> dict[tuple[str, str], str]:
    named = {}
    for reason, table in REASONS.items():
        for line in table.strip().splitlines():
            file, *rest = line.split()
            for test in (f"{rest[0]}.{name}" for name in rest[1:]) if rest else ("",):
                named[file, test] = reason
    return named


_SET_ASIDE: Final = _set_aside()


def needed(file: str, test: str, status: str, said: str) -> str | None:
    """Why a test is set aside, if it is; one that passes never is."""
    if status != "failed":
        return None
    if HOST.search(said):
        return "needs a host: " + said[:200]
    reason = _SET_ASIDE.get((file, test))
    failed = set(_FAILED_EXAMPLE.findall(said))
    if failed and failed <= set(EXAMPLES.get((file, test), ())):
        reason = "newer in 3.14"
    return f"{reason}: {said[:200]}" if reason else None
