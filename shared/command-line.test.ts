import { expect, test } from 'vitest';
import { type Command, type CommandContext, parseTags, runCommand } from './command-line.ts';
import { PicketError } from './errors.ts';

function commandsThat(run: (context: CommandContext) => number): ReadonlyMap<string, Command<CommandContext>> {
  return new Map([
    [
      'check',
      {
        usage: 'check [--x]',
        doc: 'Checks.',
        options: '  --x   does x',
        run: async (context: CommandContext) => run(context),
      },
    ],
  ]);
}

async function call(args: string[], run: (context: CommandContext) => number = () => 0) {
  let stdout = '';
  let stderr = '';
  const context: CommandContext = {
    args,
    env: {},
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  };
  return { code: await runCommand('prog', commandsThat(run), context), stdout, stderr };
}

test('the command gets the rest, and its number is the exit code', async () => {
  let seen: readonly string[] = [];
  const result = await call(['check', 'a', '--b', '--debug'], ({ args }) => {
    seen = args;
    return 7;
  });
  expect(result).toEqual({ code: 7, stdout: '', stderr: '' });
  expect(seen).toEqual(['a', '--b']);
});

test('help is told on request, and as an error without a command', async () => {
  expect(await call(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('prog check [--x]') });
  expect(await call([])).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining('prog check') });
  expect(await call(['check', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--x   does x') });
});

test('an unknown command is one message with a suggestion', async () => {
  const { code, stderr } = await call(['chekc']);
  expect(code).toBe(64);
  expect(stderr).toBe('prog: there is no command `chekc`. Did you mean `check`?\n  See --help.\n');
});

test('an error is its message and its hint; the trace comes with --debug alone', async () => {
  const fail = () => {
    throw new PicketError('config.invalid', 'line one\nline two');
  };
  const quiet = await call(['check'], fail);
  expect(quiet.code).toBe(78);
  expect(quiet.stderr).toBe(
    'prog: line one\nline two\n  Correct the named line of the configuration; `check` tells all of them at once.\n',
  );
  expect((await call(['check', '--debug'], fail)).stderr).toContain('command-line.test.ts');
});

test('what is not ours is an internal error on one line', async () => {
  const result = await call(['check'], () => {
    throw new TypeError('x is\nundefined');
  });
  expect(result.code).toBe(70);
  expect(result.stderr).toBe('prog: x is undefined\n  This is a defect of Picket; the log has its trace.\n');
});

test('tags are pairs', () => {
  expect(parseTags(['rack=4', 'line=', 'x=a=b'])).toEqual({ rack: '4', line: '', x: 'a=b' });
  expect(Object.keys(parseTags(['__proto__=x']))).toEqual(['__proto__']);
  for (const wrong of [
    ['rack'],
    ['=4'],
    ['a b=4'],
    ['a=1', 'a=2'],
    [`a=${'x'.repeat(129)}`],
    Array.from({ length: 33 }, (_, i) => `k${i}=v`),
  ]) {
    expect(() => parseTags(wrong)).toThrow(PicketError);
  }
});
