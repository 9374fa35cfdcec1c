/** What both command lines have in common: finding the command, help, errors that say what to do, `k=v` pairs. */
import { suggestion } from './config/suggest.ts';
import { codeOf, errorTable, messageOf, PicketError } from './errors.ts';

export interface CommandContext {
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a text as it is; lines end in `\n`. */
  stdout(text: string): void;
  stderr(text: string): void;
}

export interface Command<C extends CommandContext> {
  /** `check [--config FILE]` */
  readonly usage: string;
  /** One line. */
  readonly doc: string;
  /** The options in lines of their own, for `--help`. */
  readonly options?: string;
  /** One that the program starts by itself: help does not list it. */
  readonly hidden?: boolean;
  /** Returns the exit code; throws a PicketError. */
  run(context: C): Promise<number>;
}

/** A name, a site or a tag that is given at the command line. */
const maxTagLength = 128;
const maxTags = 32;

/** Finds the command, runs it, and turns whatever it throws into one message and an exit code. */
export async function runCommand<C extends CommandContext>(
  program: string,
  commands: ReadonlyMap<string, Command<C>>,
  context: C,
): Promise<number> {
  const args = context.args.filter((arg) => arg !== '--debug');
  const debug = args.length < context.args.length;
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      (name === undefined ? context.stderr : context.stdout)(helpOf(program, commands));
      return name === undefined ? errorTable['usage.invalid'].exit : 0;
    }
    const command = commands.get(name === '--version' ? 'version' : name);
    if (command === undefined) {
      throw new PicketError(
        'usage.invalid',
        `there is no command \`${name.slice(0, 60)}\`.${suggestion(name, namesForPeople(commands))}`,
      );
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      context.stdout(
        `${command.doc}\n\n  ${program} ${command.usage}\n${command.options === undefined ? '' : `\n${command.options}\n`}`,
      );
      return 0;
    }
    return await command.run({ ...context, args: rest });
  } catch (error) {
    context.stderr(errorText(program, error, debug));
    return errorTable[codeOf(error)].exit;
  }
}

function namesForPeople<C extends CommandContext>(commands: ReadonlyMap<string, Command<C>>): string[] {
  return [...commands].filter(([, { hidden }]) => hidden !== true).map(([name]) => name);
}

function helpOf<C extends CommandContext>(program: string, commands: ReadonlyMap<string, Command<C>>): string {
  const shown = [...commands.values()].filter(({ hidden }) => hidden !== true);
  const lines = shown.map(({ usage, doc }) => `  ${program} ${usage}\n      ${doc}`);
  return `${lines.join('\n')}\n\n--help after a command tells its options; --debug adds the trace of an error.\n`;
}

/** `program: message`, then what to do; the trace only when it is asked for. */
export function errorText(program: string, error: unknown, debug: boolean): string {
  // Our own messages may have lines of their own (one for each problem); others' become one.
  const message = error instanceof PicketError ? error.message : messageOf(error);
  const hint = errorTable[codeOf(error)].hint;
  const trace = debug && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  return `${program}: ${message}\n  ${hint}\n${trace}`;
}

/** `['rack=4', 'line=B']` as an object; throws `usage.invalid`. */
export function parseTags(pairs: readonly string[]): Record<string, string> {
  if (pairs.length > maxTags)
    throw new PicketError('usage.invalid', `there are ${pairs.length} tags: at most ${maxTags}.`);
  const tags: [string, string][] = [];
  for (const pair of pairs) {
    const match = /^([A-Za-z0-9_.-]{1,64})=(.*)$/.exec(pair);
    if (match === null || match[2]!.length > maxTagLength) {
      throw new PicketError('usage.invalid', `the tag \`${pair.slice(0, 60)}\` is not \`key=value\`.`);
    }
    if (tags.some(([key]) => key === match[1]))
      throw new PicketError('usage.invalid', `the tag \`${match[1]}\` is given twice.`);
    tags.push([match[1]!, match[2]!]);
  }
  return Object.fromEntries(tags);
}
