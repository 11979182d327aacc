"""What tools/check_orderings.py accepts, and what it finds fault with."""

import importlib.util
import pathlib
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_orderings.py"
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("check_orderings", TOOL)
check_orderings = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = check_orderings
spec.loader.exec_module(check_orderings)


def faults_of(code, name="core/x.hpp"):
    with tempfile.TemporaryDirectory() as folder:
        check_orderings.ROOT = pathlib.Path(folder)
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True)
        path.write_text(code)
        source, checker = check_orderings.Source(path), check_orderings.Checker()
        checker.find_tags(source)
        checker.check_orderings(source)
        checker.check_seams(source)
        checker.check_tags()
        return checker.faults


RELEASE = "  // [AB1] release: who sees it sees all; pairs with [AB2].\n  x.store(1, std::memory_order_release);\n"
ACQUIRE = "  // [AB2] acquire: sees all; pairs with [AB1].\n  x.load(std::memory_order_acquire);\n"


class CheckOrderings(unittest.TestCase):
    def assert_fault(self, code, text, **more):
        faults = faults_of(code, **more)
        self.assertTrue(any(text in fault for fault in faults), faults)

    def test_a_tagged_pair_is_fine(self):
        self.assertEqual(faults_of(RELEASE + ACQUIRE), [])

    def test_a_tag_may_stand_on_the_line_and_pair_with_itself(self):
        self.assertEqual(faults_of("x.fetch_add(1, std::memory_order_acq_rel);  // [AB1] acq_rel, pairs with itself: a\n"), [])

    def test_a_tag_may_begin_a_long_comment(self):
        self.assertEqual(faults_of("// [AB1] acq_rel: one\n" + "// more\n" * 8 + "// Pairs with itself.\n"
                                   "x.exchange(1, std::memory_order_acq_rel);\n"), [])

    def test_no_tag(self):
        self.assert_fault("x.store(1, std::memory_order_release);\n", "core/x.hpp:1: release without a tag")
        self.assert_fault(RELEASE + ACQUIRE + "\n" * 5 + "x.load(std::memory_order_acquire);\n", ":10: acquire without")

    def test_the_tag_says_another_ordering(self):
        self.assert_fault(RELEASE.replace("_release", "_seq_cst") + ACQUIRE, "the code says seq_cst, the tag [AB1] says")

    def test_partner_missing_or_unknown(self):
        self.assert_fault(RELEASE, "[AB1] pairs with [AB2], which is defined nowhere")
        self.assert_fault(RELEASE.replace("; pairs with [AB2]", ""), "[AB1] does not say what it pairs with")

    def test_tag_defined_twice_or_unused(self):
        self.assert_fault(RELEASE + RELEASE + ACQUIRE, "[AB1] is defined already, at core/x.hpp:1")
        self.assert_fault(RELEASE + "// [AB2] acquire: gone; pairs with [AB1].\n", "[AB2] explains no ordering")

    def test_relaxed_needs_a_reason(self):
        self.assert_fault("x.load(std::memory_order_relaxed);\n", "relaxed without a reason")
        self.assertEqual(faults_of("x.load(std::memory_order_relaxed);  // relaxed: a hint\n"), [])

    def test_relaxed_may_be_explained_at_the_function(self):
        body = "  f();\n" * 9 + "  x.load(std::memory_order_relaxed);\n}\n"
        self.assertEqual(faults_of("// All relaxed: statistics.\nvoid g() {\n" + body), [])
        self.assert_fault("// All relaxed: statistics.\nvoid f();\n\nvoid g() {\n" + body, "relaxed without a reason")

    def test_ordering_not_written_out(self):
        self.assert_fault("x.fetch_add(1);\n", "not written out")
        self.assertEqual(faults_of("x.compare_exchange_weak(a,\n    b, order);\n"), [])

    def test_seams(self):
        self.assert_fault("std::mutex m;\n", "std::mutex outside of the seams")
        self.assert_fault("std::atomic<int> a;\n", "std::atomic outside of the seams")
        self.assertEqual(faults_of("// std::mutex is not used\nauto s = \"std::thread\";\nstd::this_thread::yield();\n"), [])
        self.assertEqual(faults_of("std::mutex m;\n", name="core/mutex.hpp"), [])


if __name__ == "__main__":
    unittest.main()
