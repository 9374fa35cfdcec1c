/** The block `alerts` of the central's configuration. */
import type { ValueOf } from '../../shared/config/schema.ts';
import {
  boolean,
  duration,
  integer,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  secret,
  string,
  unionOf,
} from '../../shared/config/types.ts';
import { severities } from '../../shared/findings.ts';

const MOST_TARGETS = 16;
const HTTP_PATTERN = /^https?:\/\/[^\s/]+(\/\S*)?$/;
const MAIL_PATTERN = /^[^\s@<>]+@[^\s@<>]+$/;
/** RFC 9110, 5.1: a token; those that the message itself needs are not the operator's. */
const HEADER_PATTERN =
  /^(?!(content-type|content-length|host|connection|transfer-encoding)$)[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/i;

const common = {
  name: string({
    doc: 'What it is called on the page, in the log and at the command line.',
    values: 'letters, digits, `-` and `_`',
    pattern: /^[A-Za-z0-9_-]{1,40}$/,
    example: 'on-call',
  }),
  minimalSeverity: oneOf({
    doc: 'It is told of nothing that is less grave.',
    values: severities,
    default: 'warning',
  }),
};

const url = (doc: string, example: string) =>
  string({ doc, values: '`https://…` or `http://…`', pattern: HTTP_PATTERN, maxLength: 2048, example });
const headers = mapOf({
  doc: 'Headers of the request, for example `Authorization`. Their values are shown nowhere.',
  of: secret({ doc: 'Its value.', maxLength: 4096, pattern: /^[\x20-\x7e]*$/, example: 'Bearer change-me' }),
  key: { values: 'a name of a header, none of those that the message itself needs', pattern: HEADER_PATTERN },
  max: 32,
  default: {},
});
const ca = optional(
  string({
    doc: 'PEM file of the CA of its certificate; not said: those that the system trusts. Certificates are always verified.',
    values: 'a path',
    example: '/etc/picket/alerts-ca.pem',
  }),
);
const address = (doc: string, example: string) =>
  string({ doc, values: 'an address such as `ops@example.org`', pattern: MAIL_PATTERN, maxLength: 254, example });

const target = unionOf({
  doc: 'Who is told.',
  discriminator: 'kind',
  variants: {
    webhook: object({
      doc: 'A JSON document by POST; see alerts.md.',
      keys: {
        ...common,
        url: url('Where it is sent. Redirects are not followed.', 'https://alerts.example/picket'),
        headers,
        secret: optional(
          secret({
            doc: 'Key of the signature (HMAC-SHA256) by which the receiver knows that it is from here.',
            minLength: 16,
            maxLength: 1024,
            example: 'a long random text',
          }),
        ),
        fields: mapOf({
          doc: 'Fields that are put beside those of the document, for example the `routing_key` of PagerDuty.',
          of: secret({ doc: 'Its value.', maxLength: 1024, example: 'change me' }),
          key: { values: 'letters, digits, `-` and `_`', pattern: /^[A-Za-z0-9_-]{1,64}$/ },
          max: 16,
          default: {},
        }),
        ca,
        timeout: duration({ doc: 'How long one try may take.', default: '15s', min: '1s', max: '2m' }),
      },
    }),
    email: object({
      doc: 'Mail over SMTP.',
      keys: {
        ...common,
        to: listOf({ doc: 'To whom.', of: address('An address.', 'ops@example.org'), min: 1, max: 32 }),
        from: address('Whom it is from.', 'picket@example.org'),
        smtp: object({
          doc: 'The server that takes it.',
          keys: {
            host: string({ doc: 'Its name or address.', maxLength: 253, example: 'smtp.example.org' }),
            port: optional(
              integer({ doc: 'Not said: 587, with `tls` 465, with `none` 25.', min: 1, max: 65_535, example: 587 }),
            ),
            security: oneOf({
              doc: '`starttls`: encrypted before anything is said, or not sent. `tls`: encrypted from the first byte. `none`: in the clear, for a server on this machine or a network of your own.',
              values: ['starttls', 'tls', 'none'],
              default: 'starttls',
            }),
            user: optional(string({ doc: 'Who logs in; not said: nobody does.', maxLength: 256, example: 'picket' })),
            password: optional(secret({ doc: 'Its password.', maxLength: 1024, example: 'change me' })),
            ca,
            timeout: duration({ doc: 'How long one step may take.', default: '20s', min: '1s', max: '2m' }),
          },
          check: ({ user, password, security }, fail) => {
            if ((user === undefined) !== (password === undefined)) fail('user', '`user` and `password` go together.');
            if (security === 'none' && password !== undefined)
              fail('security', 'a password is never sent in the clear: say `starttls` or `tls`.');
          },
        }),
      },
    }),
  },
});

const expectation = object({
  doc: 'How often some machines are expected to call. The first entry that fits a machine holds for it.',
  keys: {
    agents: listOf({
      doc: 'Ids of agents; not said: all of the site.',
      of: string({ doc: 'An id.', pattern: /^[A-Za-z0-9_-]{1,64}$/, values: 'an id', example: 'pump-7' }),
      default: [],
    }),
    site: optional(string({ doc: 'A site; not said: whatever site.', maxLength: 256, example: 'Hall 3' })),
    every: optional(
      duration({ doc: 'It calls at least as often when all is well.', min: '1m', max: '400d', example: '1d' }),
    ),
    overdue: boolean({
      doc: 'Whether it can be overdue at all: `false` for what is switched off now and then.',
      default: true,
    }),
  },
});

export const alertsConfigSchema = object({
  doc: 'Who is told of what, and how it shows that the central itself lives; see alerts.md.',
  keys: {
    targets: listOf({
      doc: 'Who is told. Without one, the page alone shows what there is.',
      of: target,
      max: MOST_TARGETS,
      default: [],
      unique: ({ name }) => name,
    }),
    retryFor: duration({
      doc: 'How long it is tried to tell something, with growing pauses, before it is given up and counted.',
      default: '3d',
      min: '1m',
      max: '30d',
    }),
    mostWaiting: integer({
      doc: 'Most messages that wait for one target; past it the oldest are given up and counted.',
      default: 1000,
      min: 10,
      max: 5000,
    }),
    holdBack: duration({
      doc: 'How long the end of a trouble is held back, in case it comes again; twice as long with each time that it does.',
      default: '2m',
      min: '0s',
      max: '1h',
    }),
    overdue: object({
      doc: 'Machines that were not heard of for longer than is usual for them.',
      keys: {
        after: duration({
          doc: 'Silence of a machine that is always connected, after which it is overdue. One that calls now and then has a longer one, which is learned from its calls.',
          default: '10m',
          min: '1m',
          max: '30d',
        }),
        gather: duration({
          doc: 'How long it is waited whether others of the site fall silent as well, so that one message tells of all.',
          default: '2m',
          min: '0s',
          max: '1h',
        }),
        severity: oneOf({
          doc: 'How grave one machine is. A whole site is critical.',
          values: severities,
          default: 'warning',
        }),
        expect: listOf({ doc: 'What is known and need not be learned.', of: expectation, default: [], max: 256 }),
      },
    }),
    heartbeat: optional(
      object({
        doc: 'A request that somebody else waits for, and raises the alarm when it stays away: it is sent while the central works.',
        keys: {
          url: url('Where it is sent, for example a check of healthchecks.io.', 'https://hc-ping.com/your-uuid'),
          method: oneOf({ doc: 'How. `POST` brings a few counts along.', values: ['GET', 'POST'], default: 'GET' }),
          interval: duration({ doc: 'How often.', default: '5m', min: '10s', max: '1d' }),
          headers,
          ca,
          timeout: duration({ doc: 'How long one try may take.', default: '15s', min: '1s', max: '2m' }),
        },
      }),
    ),
  },
});

export type AlertsConfig = ValueOf<typeof alertsConfigSchema>;
export type TargetConfig = AlertsConfig['targets'][number];
export type WebhookConfig = Extract<TargetConfig, { kind: 'webhook' }>;
export type EmailConfig = Extract<TargetConfig, { kind: 'email' }>;
