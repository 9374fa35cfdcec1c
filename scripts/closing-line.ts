import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed` alone on the last line, for people and for whatever reads the run. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      let inModule = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') inModule++;
      }
      // A file that cannot be loaded, or whose hook fails, holds no failed test of its own.
      failed += inModule === 0 && module.state() === 'failed' ? 1 : inModule;
    }
    // After the default reporter's summary, which is written in the same turn.
    process.on('exit', () => process.stdout.write(`\n${passed} passed, ${failed} failed\n`));
  }
}
