/**
 * The central's configuration. On loopback it needs none; beyond it, an address to listen on is enough: it makes its
 * own CA and serves everything encrypted.
 */
import { type Address, addressPattern, isLoopback, parseAddress } from '../shared/address.ts';
import type { Schema, ValueOf } from '../shared/config/schema.ts';
import {
  bytes,
  duration,
  eitherOf,
  integer,
  number,
  object,
  oneOf,
  optional,
  secret,
  string,
  text,
  unionOf,
} from '../shared/config/types.ts';
import { BROKER_PATTERN, PREFIX_PATTERN } from '../shared/trust/enrolment.ts';
import { defaultPrefix } from '../shared/wire/topics.ts';
import { alertsConfigSchema } from './alerts/config.ts';

const filePath = (doc: string, example: string): Schema<string> => string({ doc, values: 'a path', example });

function listenAddress(doc: string, standard: string): Schema<Address> {
  return text<Address>({
    doc: `${doc} Port 0 takes a free one.`,
    values: '`host:port`, IPv6 as `[::1]:port`',
    pattern: addressPattern,
    default: standard,
    parse: parseAddress,
  });
}

const broker = unionOf({
  doc: 'Who carries the messages.',
  discriminator: 'kind',
  default: 'embedded',
  variants: {
    embedded: object({ doc: 'The broker inside of the central, at `mqtt.listen`.', keys: {} }),
    external: object({
      doc: 'A broker that is there already, such as mosquitto. Agents get its address at their enrolment.',
      keys: {
        url: string({
          doc: 'Its address; `mqtts` beyond this machine.',
          pattern: BROKER_PATTERN,
          values: '`mqtt://host:port` or `mqtts://host:port`',
          example: 'mqtts://broker.example:8883',
        }),
        username: optional(string({ doc: 'Who the central is there.', maxLength: 256, example: 'picket-central' })),
        password: optional(secret({ doc: 'Its password there.', maxLength: 1024, example: 'change me' })),
        passwords: optional(
          filePath(
            "File of users and passwords in mosquitto's format, kept by the central at each enrolment; see brokers.md.",
            '/etc/mosquitto/picket/passwords',
          ),
        ),
        ca: optional(
          filePath(
            "PEM file of the CA of the broker's certificate; not said: those that the system trusts.",
            '/etc/picket/broker-ca.pem',
          ),
        ),
      },
    }),
  },
});

/** The schema of the whole file. */
export const centralConfigSchema = object({
  doc: 'The configuration of a central.',
  keys: {
    http: object({
      doc: 'Pages and API.',
      keys: { listen: listenAddress('Where they are served.', '127.0.0.1:7070') },
    }),
    mqtt: object({
      doc: 'The embedded broker, and the topics on any broker.',
      keys: {
        listen: listenAddress('Where the embedded broker is served.', '127.0.0.1:1883'),
        prefix: string({
          doc: 'What all topics begin with; two centrals on one broker need two.',
          default: defaultPrefix,
          pattern: PREFIX_PATTERN,
          values: 'topic levels such as `picket/1`',
        }),
      },
    }),
    broker,
    data: string({
      doc: 'Directory of history, models, keys and accounts. `--data` overrides it.',
      values: 'a path',
      default: '/var/lib/picket-central',
    }),
    retention: object({
      doc: 'How long history is kept; the page says how many days the disk will last.',
      keys: {
        minutes: duration({ doc: 'Summaries of a minute or ten.', default: '14d', min: '1d', max: '4000d' }),
        hours: duration({ doc: 'Rollups of an hour and a day.', default: '400d', min: '1d', max: '4000d' }),
        size: bytes({
          doc: 'Most bytes of history on disk; past it the oldest minutes go first.',
          default: '10GB',
          min: '64MB',
          max: '100TB',
        }),
      },
      check: (value, fail) => {
        if (value.hours < value.minutes)
          fail('hours', 'is shorter than `minutes`: hours must be kept at least as long.');
      },
    }),
    training: object({
      doc: 'When models are trained from the history, and how they are judged.',
      keys: {
        interval: duration({
          doc: 'How often each machine is looked at for a better model.',
          default: '6h',
          min: '1m',
          max: '30d',
        }),
        firstAfter: duration({
          doc: "How long after a machine's first data its first model is trained.",
          default: '4m',
          min: '1m',
          max: '30d',
        }),
        minimumWindows: integer({
          doc: 'Fewest summaries of a series that a model is made from.',
          default: 3,
          min: 2,
          max: 100_000,
        }),
        holdOut: number({
          doc: 'Share of the history, the newest, that a model is judged on and not trained on.',
          default: 0.25,
          min: 0.05,
          max: 0.9,
        }),
      },
    }),
    rollout: object({
      doc: 'How a better model reaches the machines. The first model of a machine is in force at once.',
      keys: {
        shadow: duration({
          doc: 'How long it runs beside the old one and raises nothing; `0s`: not at all.',
          default: '24h',
          min: '0s',
          max: '90d',
        }),
        canary: duration({
          doc: 'How long it is then in force on a share of the machines; `0s`: not at all.',
          default: '24h',
          min: '0s',
          max: '90d',
        }),
        share: number({
          doc: 'That share; one machine at least.',
          default: 0.1,
          min: 0.01,
          max: 1,
        }),
      },
    }),
    configuration: object({
      doc: 'How a configuration that is edited here reaches the machines: a share of them first.',
      keys: {
        settle: duration({
          doc: 'How long a machine is to be well with it before the others get it.',
          default: '30m',
          min: '1s',
          max: '30d',
        }),
        back: duration({
          doc: 'In which a machine that is connected is to come back with it; else it counts as lost.',
          default: '15m',
          min: '1s',
          max: '7d',
        }),
        share: number({
          doc: 'Share of the machines that get it first; one at least.',
          default: 0.1,
          min: 0.01,
          max: 1,
        }),
      },
    }),
    budget: object({
      doc: 'False alarms that nobody minds. Rules, forecasts and data quality are no matter of chance and stand outside.',
      keys: {
        notificationsPerWeek: number({
          doc: 'Notifications a week, over the whole fleet, for what statistics find; shared out to the agents by need, and an agent that is offline holds its share.',
          default: 5,
          min: 0,
          max: 10_000,
        }),
      },
    }),
    alerts: alertsConfigSchema,
    tls: eitherOf({
      doc: 'Encryption. `auto` makes a CA at the first start and encrypts all that is served beyond loopback; `off` is allowed on loopback only.',
      word: oneOf({ doc: 'Made here, or not at all.', values: ['auto', 'off'], default: 'auto' }),
      structure: object({
        doc: 'Certificates that the operator brings.',
        keys: {
          certificate: filePath('PEM file of the certificate and its chain.', '/etc/picket/central.pem'),
          key: filePath('PEM file of its private key.', '/etc/picket/central.key'),
          ca: optional(
            filePath(
              'PEM file of the CA that agents pin; not said: the last certificate of the chain.',
              '/etc/picket/ca.pem',
            ),
          ),
        },
      }),
    }),
    publicUrl: optional(
      text<string>({
        doc: 'The address that agents and people are told, where it is not the one that is listened on.',
        values: '`https://host` or `https://host:port`',
        pattern: '^https?://[^/]+/?$',
        example: 'https://central.example:7070',
        parse: publicAddress,
      }),
    ),
    log: object({
      doc: 'What is written to standard error, as JSON lines.',
      keys: {
        level: oneOf({
          doc: 'The least that is written.',
          values: ['debug', 'info', 'warn', 'error'],
          default: 'info',
        }),
      },
    }),
  },
  check: (config, fail) => {
    const problem = plainBeyondLoopback(config);
    if (problem !== null) fail('tls', problem);
  },
});

export type CentralConfig = ValueOf<typeof centralConfigSchema>;

/** What the rule "everything is TLS beyond loopback" finds wrong, or null; asked again when `--http` changes the file. */
export function plainBeyondLoopback(config: Pick<CentralConfig, 'tls' | 'http' | 'mqtt' | 'broker'>): string | null {
  if (config.tls !== 'off') return null;
  const served = config.broker.kind === 'embedded' ? (['http', 'mqtt'] as const) : (['http'] as const);
  const open = served.find((part) => !isLoopback(config[part].listen.host));
  if (open === undefined) return null;
  const host = config[open].listen.host;
  return `\`off\` is allowed on loopback only, and ${open}.listen is ${host}: listen on 127.0.0.1, or say \`auto\`.`;
}

function publicAddress(written: string): string | null {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  if (url.username !== '' || url.search !== '' || url.hash !== '' || url.pathname !== '/') {
    throw new Error('Only scheme, host and port belong there.');
  }
  return url.origin;
}
