import { hostname } from 'node:os';
import { parseTags } from '../../shared/command-line.ts';
import { PicketError } from '../../shared/errors.ts';
import { dataDirectoryOf } from '../config.ts';
import { enrolAt } from '../enrol.ts';
import { enrolmentPath, readEnrolment, readEnrolmentFile, writeEnrolment } from '../enrolment.ts';
import { type AgentCommand, loadConfig, parseOptions } from './context.ts';

export const enrolCommand: AgentCommand = {
  usage:
    'enrol ADDRESS --token TOKEN [--ca-fingerprint HEX] [--name NAME] [--site SITE] [--tag KEY=VALUE …] | --file FILE',
  doc: 'Makes this machine known to a central; `picket-central enroll` prints the command to paste.',
  options: [
    '  --token TOKEN          from the central',
    '  --ca-fingerprint HEX   SHA-256 of its CA; without it, the system must trust its certificate',
    '  --name NAME            what people call this machine; else its host name',
    '  --site SITE            where it stands',
    '  --tag KEY=VALUE        any number of times',
    '  --file FILE            without a network: what `picket-central enroll --file` wrote',
    '  --data DIR             the agent’s data directory',
    '  --config FILE          its configuration, for the data directory that it names',
    '  --again                replaces an enrolment that is there',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      {
        token: { type: 'string' },
        'ca-fingerprint': { type: 'string' },
        name: { type: 'string' },
        site: { type: 'string' },
        tag: { type: 'string', multiple: true },
        file: { type: 'string' },
        data: { type: 'string' },
        config: { type: 'string' },
        again: { type: 'boolean' },
      },
      1,
    );
    const address = positionals[0];
    if (values.file === undefined) {
      if (address === undefined) throw new PicketError('usage.invalid', 'the address of the central is missing.');
      if (values.token === undefined) throw new PicketError('usage.invalid', '--token is missing.');
    } else if (address !== undefined || values.token !== undefined) {
      throw new PicketError('usage.invalid', '--file says it all: no address and no token beside it.');
    }
    const { config } = await loadConfig(values.config, context);
    const dataDir = dataDirectoryOf(config, values.data, context.env);
    // A damaged one is no reason to refuse a new one.
    const before = await readEnrolment(dataDir).catch(() => null);
    if (before !== null && !values.again) {
      throw new PicketError(
        'conflict',
        `this machine is enrolled already, as ${before.agent} at ${before.broker} (${enrolmentPath(dataDir)}); --again replaces that.`,
      );
    }
    const enrolment =
      values.file === undefined
        ? await enrolAt(
            address!,
            values['ca-fingerprint'],
            {
              token: values.token!,
              name: values.name ?? hostname(),
              ...(values.site === undefined ? {} : { site: values.site }),
              ...(values.tag === undefined ? {} : { tags: parseTags(values.tag) }),
            },
            context.signal,
          )
        : await readEnrolmentFile(values.file);
    await writeEnrolment(dataDir, enrolment);
    context.stdout(`enrolled as ${enrolment.agent} (${enrolment.name}), broker ${enrolment.broker}\n`);
    context.stdout('next: `picket-agent install` runs it as a service, `picket-agent run` right here\n');
    return 0;
  },
};
