import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { parseBytes } from '../../shared/config/units.ts';
import { PicketError } from '../../shared/errors.ts';
import { EXCHANGE_HEADER_BYTES } from '../../shared/trust/exchange.ts';
import { integerOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import { type AgentCommand, parseOptions } from './context.ts';

const DEFAULT_SIZE = '1GB';
const SMALLEST_BYTES = 128 * 1024;
const ABOUT_BYTES = 4096;

export const exportCommand: AgentCommand = {
  usage: 'export FILE|DIR [--size 1GB]',
  doc: 'Writes what the central does not have yet to a file, for a machine without a network.',
  options: [
    '  FILE|DIR        where to; in a directory it is named after the agent',
    '  --size 1GB      most bytes of the file; what does not fit comes with the next one (FAT32 takes up to 4 GB)',
    '  --data DIR      the agent’s data directory',
    '  --config FILE   its configuration',
    '',
    'The agent may run or not. `picket-central import` takes the file in and writes the reply that',
    '`picket-agent import` wants; until then the next export brings the same records again. Only the central can read it.',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      { size: { type: 'string', default: DEFAULT_SIZE }, data: { type: 'string' }, config: { type: 'string' } },
      1,
    );
    const target = positionals[0];
    if (target === undefined) throw new PicketError('usage.invalid', 'the file is missing.');
    const wanted = parseBytes(values.size);
    if (wanted === null || wanted < SMALLEST_BYTES) {
      throw new PicketError(
        'usage.invalid',
        `--size ${values.size.slice(0, 20)} is not a size such as \`500MB\`, of at least ${SMALLEST_BYTES} bytes.`,
      );
    }
    // What only these two commands need is loaded with them.
    const { openByHand } = await import('../by-hand/command.ts');
    const { freeBytes, isDirectory, writeStick } = await import('../by-hand/files.ts');
    const { desk, enrolment, credential } = await openByHand(context, values);
    const inDirectory = await isDirectory(target);
    const free = await freeBytes(inDirectory ? target : dirname(target));
    if (free < SMALLEST_BYTES) throw new PicketError('disk.full', `${target}: there are ${free} bytes free.`);
    const roomBytes = Math.min(wanted, free) - EXCHANGE_HEADER_BYTES;
    const temporary = inDirectory ? join(target, `${enrolment.agent}.picket.tmp`) : `${target}.tmp`;
    let last: Uint8Array = new Uint8Array(0);
    async function* messages() {
      for await (const message of desk.export(roomBytes)) {
        last = message.bytes;
        yield message;
      }
    }
    const path = await writeStick(temporary, messages(), credential, (about) => {
      const json = objectOf(parseJson(about, ABOUT_BYTES, 'about'), 'about');
      const series = textOf(json.series, 'about.series', 32);
      const number = integerOf(json.number, 'about.number');
      const { agent } = enrolment;
      const salt = randomBytes(32).toString('hex');
      const madeMs = context.host.clock.wallMs();
      return {
        header: { direction: 'up', agent, series, number, madeMs, salt },
        path: inDirectory ? join(target, `${agent}-${number}.picket`) : target,
      };
    });
    const { records, complete } = objectOf(parseJson(last, ABOUT_BYTES, 'end'), 'end');
    context.stdout(`${path}: ${integerOf(records, 'records')} records\n`);
    if (complete !== true) context.stdout('it is full: what did not fit comes with the next export\n');
    return 0;
  },
};
