import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Prints `N passed, N failed` alone on the last line, for people and for whatever reads the run; before it the tests that
 * passed only when they were tried again, with what failed at first: they are to be looked into.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const flaky: TestCase[] = [];
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      let inModule = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (test.diagnostic()?.flaky === true) flaky.push(test);
        if (state === 'passed') passed++;
        else if (state === 'failed') inModule++;
      }
      // A file that cannot be loaded, or whose hook fails, holds no failed test of its own.
      failed += inModule === 0 && module.state() === 'failed' ? 1 : inModule;
    }
    // After the default reporter's summary, which is written in the same turn.
    const again = flaky.map(
      (test) => `passed at the second try: ${test.module.relativeModuleId} > ${test.fullName}${why(test)}\n`,
    );
    process.on('exit', () => process.stdout.write(`\n${again.join('')}\n${passed} passed, ${failed} failed\n`));
  }
}

/** The first line of each error that a try before the last one ended with. */
function why(test: TestCase): string {
  return (test.result().errors ?? []).map(({ message }) => `\n  ${message.split('\n', 1)[0]}`).join('');
}
