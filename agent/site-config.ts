/** The block `site` of the agent's configuration. */
import { object, optional, secret, string } from '../shared/config/types.ts';
import { BROKER_PATTERN, PREFIX_PATTERN } from '../shared/trust/enrolment.ts';

export const siteSchema = object({
  doc: 'Local only. Plain JSON for those on site, on a broker of their own: incidents and the state of this machine; see alerts.md. Not said: none.',
  keys: {
    broker: string({
      doc: 'Its address.',
      pattern: BROKER_PATTERN,
      values: '`mqtt://host:port` or `mqtts://host:port`',
      example: 'mqtt://127.0.0.1:1883',
    }),
    prefix: string({
      doc: 'What its topics begin with; the name of the machine follows, then `incident` or `state`.',
      default: 'picket/site',
      pattern: PREFIX_PATTERN,
      values: 'topic levels such as `picket/site`',
    }),
    name: optional(
      string({
        doc: 'What this machine is called there. Not said: the id of its enrolment, or else its host name.',
        pattern: /^[A-Za-z0-9_-]{1,64}$/,
        values: 'letters, digits, `-` and `_`',
        example: 'press-4',
      }),
    ),
    username: optional(string({ doc: 'Who it is there.', maxLength: 256, example: 'picket' })),
    password: optional(secret({ doc: 'Its password there.', maxLength: 1024, example: 'change me' })),
    ca: optional(
      string({
        doc: 'PEM file of the CA of its certificate; not said: those that the system trusts.',
        values: 'an absolute path',
        pattern: /^\//,
        example: '/etc/picket/site-ca.pem',
      }),
    ),
  },
});
