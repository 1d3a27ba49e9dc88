import type { Reporter, TestModule } from 'vitest/node'

/** Prints the one line that CI reads, after every other reporter: `N passed, N failed`. A file that fails to load counts as a failure. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      const before = count.failed
      for (const test of module.children.allTests()) count[test.result().state] += 1
      if (module.state() === 'failed' && count.failed === before) count.failed += 1
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    process.stdout.write(`\n${count.passed} passed, ${count.failed + count.pending} failed${skipped}\n`)
  }
}
