import { expect, test } from 'vitest';
import { allDownTopics, allUpTopics, defaultPrefix, downTopic, parseUpTopic, upChannels, upTopic } from './topics.ts';

test('topics are those of the design', () => {
  expect(upTopic(defaultPrefix, 'pump-7', 'records')).toBe('picket/1/a/pump-7/up/records');
  expect(downTopic(defaultPrefix, 'pump-7', 'ack')).toBe('picket/1/a/pump-7/down/ack');
  expect(allUpTopics(defaultPrefix)).toBe('picket/1/a/+/up/+');
  expect(allDownTopics(defaultPrefix, 'pump-7')).toBe('picket/1/a/pump-7/down/+');
});

test('every up topic is parsed back, under any prefix', () => {
  for (const prefix of [defaultPrefix, 'x', 'site/9/picket']) {
    for (const channel of upChannels) {
      expect(parseUpTopic(prefix, upTopic(prefix, 'A_b-9', channel))).toEqual({ agent: 'A_b-9', channel });
    }
  }
});

test.each([
  'picket/1/a/x/down/ack',
  'picket/1/a/x/up/other',
  'picket/1/a/x/up/records/more',
  'picket/1/a/x/up',
  'picket/1/a//up/records',
  'picket/1/a/a.b/up/records',
  'picket/1/a/+/up/records',
  `picket/1/a/${'x'.repeat(65)}/up/records`,
  'picket/2/a/x/up/records',
  'picket/1/b/x/up/records',
  '/picket/1/a/x/up/records',
  'picket/1/a/x/up/toString',
  '',
])('a foreign topic is none of ours: %s', (topic) => {
  expect(parseUpTopic(defaultPrefix, topic)).toBeNull();
});
