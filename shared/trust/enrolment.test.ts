import { expect, test } from 'vitest';
import { type Enrolment, parseEnrolment } from './enrolment.ts';

const right: Enrolment = {
  agent: 'a1B_-2',
  name: 'pump 7',
  broker: 'mqtts://central.example:8883',
  prefix: 'picket/1',
  username: 'a1B_-2',
  password: 'secret',
  ca: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  rootKey: `${'A'.repeat(43)}=`,
};

test('what is right comes back, and nothing else with it', () => {
  expect(parseEnrolment({ ...right, more: 1 }, 'x')).toEqual(right);
  expect(parseEnrolment({ ...right, ca: null, broker: 'mqtt://[::1]:1883' }, 'x')).toMatchObject({ ca: null });
});

test.each<[keyof Enrolment, unknown]>([
  ['agent', 'a/b'],
  ['agent', '../x'],
  ['agent', ''],
  ['agent', undefined],
  ['name', 5],
  ['broker', 'http://x'],
  ['broker', 'mqtt://user:pass@x:1'],
  ['broker', 'mqtt://x:1/path'],
  ['broker', 'mqtt://x y'],
  ['prefix', 'picket/#'],
  ['prefix', '+/1'],
  ['prefix', '/picket'],
  ['username', ''],
  ['password', 'x'.repeat(1025)],
  ['ca', 'no pem'],
  ['ca', 3],
  ['ca', `-----BEGIN CERTIFICATE-----${'A'.repeat(60_000)}`],
  ['rootKey', 'AAAA'],
  ['rootKey', `${'!'.repeat(43)}=`],
])('a wrong %s (%j) is named', (field, value) => {
  expect(() => parseEnrolment({ ...right, [field]: value }, 'the file')).toThrow(
    new RegExp(`the file is no enrolment: \`${field}\``),
  );
});

test.each([[null], [[]], ['x'], [undefined], [JSON.parse('{"__proto__":{"agent":"a"}}')]])('%j is none', (json) => {
  expect(() => parseEnrolment(json, 'x')).toThrow('no enrolment');
});
