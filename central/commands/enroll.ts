import { parseTags } from '../../shared/command-line.ts';
import { parseDuration } from '../../shared/config/units.ts';
import { PicketError } from '../../shared/errors.ts';
import { parseEnrolment } from '../../shared/trust/enrolment.ts';
import { writePieces } from '../exchange/files.ts';
import { postToCentral } from './api-client.ts';
import { type CentralCommand, loadConfig, parseOptions } from './context.ts';

/** The API's own bound. */
const maxUses = 100_000;
const defaultExpiry = '7d';

interface MadeToken {
  readonly token: string;
  /** What is pasted on the machine. */
  readonly command: string;
  readonly record?: unknown;
}

export const enrollCommand: CentralCommand = {
  usage: 'enroll [--name NAME] [--site SITE] [--tag KEY=VALUE …] [--uses N] [--expires 7d] [--file FILE] [--json]',
  doc: 'Makes a token and prints the one command to paste on the machine that is to be watched.',
  options: [
    '  --name NAME       what the machine is called; else its host name',
    '  --site SITE       where the machines stand that use the token',
    '  --tag KEY=VALUE   what they are tagged with, any number of times',
    '  --uses N          for how many machines it is (default 1)',
    '  --expires 7d      for how long it is good (default 7d)',
    '  --note NOTE       what it is for, in the list of tokens',
    '  --file FILE       for a machine without a network: its identity in a file, for `picket-agent enrol --file`',
    '  --data DIR        data directory of the running central, where it is not the configuration’s',
    '  --config FILE     its configuration',
    '  --json            for programs',
  ].join('\n'),
  async run(context) {
    const { values } = parseOptions(context.args, {
      name: { type: 'string' },
      site: { type: 'string' },
      tag: { type: 'string', multiple: true },
      uses: { type: 'string', default: '1' },
      expires: { type: 'string', default: defaultExpiry },
      note: { type: 'string' },
      file: { type: 'string' },
      data: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean' },
    });
    const uses = Number(values.uses);
    if (!/^\d+$/.test(values.uses) || uses < 1 || uses > maxUses) {
      throw new PicketError(
        'usage.invalid',
        `--uses ${values.uses.slice(0, 20)} is not a whole number from 1 to ${maxUses}.`,
      );
    }
    const single = values.name !== undefined ? '--name' : values.file !== undefined ? '--file' : null;
    if (single !== null && uses > 1)
      throw new PicketError('usage.invalid', `${single} is for one machine: leave it out with --uses.`);
    const lifeMs = parseDuration(values.expires);
    if (lifeMs === null || lifeMs === 0) {
      throw new PicketError(
        'usage.invalid',
        `--expires ${values.expires.slice(0, 20)} is not a duration such as \`12h\` or \`7d\`.`,
      );
    }
    const { config } = await loadConfig(values, context);
    const made = asToken(
      await postToCentral(config.data, '/api/v1/tokens', {
        note: values.note ?? values.name ?? '',
        site: values.site ?? '',
        tags: parseTags(values.tag ?? []),
        maxUses: uses,
        expiresMs: context.nowMs() + lifeMs,
      }),
    );
    if (values.file !== undefined) {
      const request = { token: made.token, ...(values.name === undefined ? {} : { name: values.name }) };
      const answer = await postToCentral(config.data, '/api/v1/enrol', request);
      const enrolment = parseEnrolment(answer, 'the answer of the central');
      await writePieces(values.file, pieceOf(`${JSON.stringify(enrolment, null, 2)}\n`));
      context.stdout(`${enrolment.agent}\n`);
      context.stderr(
        `${values.file} is its identity: \`picket-agent enrol --file\` on the machine, and then delete it; whoever has it can speak for the machine\n`,
      );
      return 0;
    }
    const command = values.name === undefined ? made.command : `${made.command} --name ${shellQuoted(values.name)}`;
    context.stdout(values.json ? `${JSON.stringify({ ...made, command }, null, 2)}\n` : `${command}\n`);
    if (!values.json)
      context.stderr(
        `good for ${uses === 1 ? 'one machine' : `${uses} machines`}, for ${values.expires}; paste it there as root\n`,
      );
    return 0;
  },
};

async function* pieceOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Checks what the central answered. */
export function asToken(json: unknown): MadeToken {
  const made = json as MadeToken | null;
  if (typeof made?.token === 'string' && typeof made.command === 'string') return made;
  throw new PicketError('payload.invalid', 'the central did not answer with a token.');
}

/** For a POSIX shell. */
function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
