/**
 * Somebody is told, for real: a central that is killed between, an HTTP endpoint that refuses, hangs and recovers, an
 * SMTP server with STARTTLS and a password, and a broker of the site's own.
 */
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import type { AlertsView } from '../../central/alerts/api.ts';
import { sendTest } from '../../central/alerts/sender.ts';
import { openTarget } from '../../central/alerts/targets/registry.ts';
import { centralConfigSchema } from '../../central/config.ts';
import { parseYaml } from '../../shared/config/yaml.ts';
import type { Incident } from '../../shared/findings.ts';
import { Hook } from '../support/hook.ts';
import { until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { SmtpServer } from '../support/smtp.ts';
import { freePort, System } from '../support/system.ts';

const SECRET = 'a key of sixteen letters and more';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function world(): Promise<{ system: System; hook: Hook }> {
  const system = new System();
  closing.push(() => system.close());
  const hook = new Hook();
  await hook.start();
  closing.push(() => hook.close());
  return { system, hook };
}

function incident(over: Partial<Incident>): Incident {
  const nowMs = Date.now();
  const about = { epoch: '', seq: 0, revision: 1, state: 'open', severity: 'warning', closedMs: null } as const;
  const words = { title: 'Disk sda write latency 41 ms, expected 0.4–2.1 ms', findings: [], more: 0 };
  return { ...about, openedMs: nowMs, updatedMs: nowMs, ...words, ...over };
}

async function tell(agent: ScriptedAgent, over: Partial<Incident>): Promise<number> {
  const frame = agent.frame(agent.record('incident', Buffer.from(JSON.stringify(incident(over)))));
  const seq = agent.highestSeq;
  await agent.send([frame]);
  await agent.settled(seq);
  return seq;
}

test('a webhook that refuses, hangs and comes back, and mail, over the death of the central', {
  timeout: 90_000,
}, async () => {
  const { system, hook } = await world();
  const smtp = await SmtpServer.prepare(system);
  await smtp.start();
  const config = `
alerts:
  holdBack: 0s
  targets:
    - {kind: webhook, name: hook, url: "${hook.url}/hook", secret: ${SECRET}, timeout: 1s, headers: {Authorization: Bearer x}}
    - kind: email
      name: mail
      to: [ops@example.org, nobody@example.org]
      from: picket@example.org
      smtp: {host: 127.0.0.1, port: ${smtp.port}, user: picket, password: mail secret, ca: ${smtp.ca}}
  heartbeat: {url: "${hook.url}/alive", method: POST, interval: 10s}
`;
  const central = await system.central({ config });
  const pump = await ScriptedAgent.connect(await central.enrol('pump'));
  const { agent } = pump.enrolment;
  await hook.received('/alive', 1);

  hook.mode = 'refuse';
  const opener = await tell(pump, { severity: 'warning' });
  const key = { epoch: pump.epoch, seq: opener };
  const [opened] = await smtp.got(1);
  expect(opened!.headers).toMatchObject({
    subject: '[Picket] pump: Disk sda write latency 41 ms',
    'x-rcpt': 'ops@example.org',
    'auto-submitted': 'auto-generated',
  });
  expect(opened!.text).toContain('Opened: warning, pump');
  expect(opened!.text).toContain(`${central.url}/machine/${agent}?incident=${pump.epoch}-${opener}`);
  const targets = async () => (await central.get<AlertsView>('/alerts')).targets;
  await until('the refusal shows', async () => {
    const [one] = await targets();
    return one!.lastError === 'answered 503 not now' && one!.waiting === 1;
  });
  expect(hook.got.filter(({ url }) => url === '/hook')).toEqual([]);

  // Killed with a message waiting; what comes after it hangs.
  await central.program.end('SIGKILL');
  hook.mode = 'hang';
  const before = hook.tries;
  await central.start();
  const again = await ScriptedAgent.connect(pump.enrolment);
  closing.push(() => again.close());
  await until('it is tried again', () => hook.tries > before);
  await until('it shows that it hangs', async () => (await targets())[0]!.lastError === 'no answer within 1 s');
  // Meanwhile it gets worse, and the mail goes on.
  Object.assign(again, { epoch: pump.epoch });
  const worse = again.record(
    'incident',
    Buffer.from(JSON.stringify(incident({ ...key, revision: 2, severity: 'critical' }))),
  );
  const { frameRecord } = await import('../../shared/wire/frame.ts');
  await again.send([frameRecord(pump.epoch, opener + 1, worse)]);
  const [, second] = await smtp.got(2);
  expect(second!.headers).toMatchObject({
    subject: 'Re: [Picket] pump: Disk sda write latency 41 ms',
    'in-reply-to': opened!.headers['message-id'],
    references: opened!.headers['message-id'],
  });
  expect(second!.text).toContain('Worse: critical, pump');

  hook.mode = 'take';
  const [hooked] = await hook.received('/hook', 1);
  const { 'x-picket-timestamp': at, 'x-picket-signature': signature, authorization } = hooked!.headers;
  expect(signature).toBe(`v1=${createHmac('sha256', SECRET).update(`${at}.${hooked!.body}`).digest('hex')}`);
  expect(authorization).toBe('Bearer x');
  // One message that says what is the case now, not two.
  const body = JSON.parse(hooked!.body);
  expect(body).toMatchObject({
    version: '4',
    status: 'firing',
    receiver: 'hook',
    event_action: 'trigger',
    dedup_key: `incident:${agent}:${pump.epoch}/${opener}`,
    payload: { severity: 'critical' },
    picket: { change: 'opened' },
    alerts: [{ status: 'firing', labels: { alertname: 'PicketIncident', severity: 'critical', agent, name: 'pump' } }],
  });

  const nowMs = Date.now();
  const end = incident({ ...key, revision: 3, severity: 'critical', state: 'closed', closedMs: nowMs });
  await again.send([frameRecord(pump.epoch, opener + 2, again.record('incident', Buffer.from(JSON.stringify(end))))]);
  const [, closed] = await hook.received('/hook', 2);
  expect(JSON.parse(closed!.body)).toMatchObject({
    status: 'resolved',
    event_action: 'resolve',
    dedup_key: body.dedup_key,
  });
  expect((await smtp.got(3))[2]!.text).toMatch(/^Closed after /);

  // The heartbeat goes on, with counts; the page's figures are right; a test arrives.
  const beats = await hook.received('/alive', 2);
  expect(JSON.parse(beats.at(-1)!.body)).toMatchObject({ agents: 1, overdue: 0 });
  await central.post('/alerts/targets/mail/test', {});
  expect((await smtp.got(4))[3]!.text).toContain('a test: nothing is wrong');
  const view = await central.get<AlertsView>('/alerts');
  expect(view.targets.map(({ name, waiting, sent, failures }) => [name, waiting, sent, failures])).toEqual([
    ['hook', 0, 2, 0],
    ['mail', 0, 3, 0],
  ]);
  const metrics = await (await fetch(`${central.url}/metrics`)).text();
  expect(metrics).toContain('picket_alerts_sent_total{target="hook"} 2');
  // Nothing that is secret is shown or logged.
  const shown = JSON.stringify(view) + metrics + central.program.stderr;
  for (const secret of [SECRET, 'mail secret', 'Bearer x', '/hook']) expect(shown).not.toContain(secret);
});

/** What a target of this configuration says to a test. */
async function tried(target: string): Promise<string> {
  const parsed = parseYaml(`alerts: {targets: [${target}]}`, centralConfigSchema);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const opened = await openTarget(parsed.value.alerts.targets[0]!, Date.now);
  const naming = { nameOf: (agent: string) => agent, url: 'https://central.example' };
  return await sendTest(opened, naming, Date.now(), new AbortController().signal).then(
    (said) => `took: ${said}`,
    (error: Error) => `failed: ${error.message}`,
  );
}

test('mail: a server that is busy, one that is gone, a wrong password, another certificate', {
  timeout: 60_000,
}, async () => {
  const { system } = await world();
  const smtp = await SmtpServer.prepare(system);
  const other = await SmtpServer.prepare(system, 'other');
  const send = (ca: string, more = 'password: mail secret') =>
    tried(
      `{kind: email, name: m, to: [a@b.c], from: p@b.c, smtp: {host: 127.0.0.1, port: ${smtp.port}, user: picket, ca: ${ca}, timeout: 3s, ${more}}}`,
    );
  expect(await send(smtp.ca)).toMatch(/^failed: .*ECONNREFUSED/);
  await smtp.start();
  expect(await send(smtp.ca)).toBe('took: 250 2.0.0 kept as 1');
  expect(await send(other.ca)).toMatch(/^failed: .*certificate/);
  expect(await send(smtp.ca, 'password: wrong')).toMatch(/^failed: .*535/);
  // It speaks before TLS begins, and that is not taken for TLS.
  expect(await send(smtp.ca, 'security: tls, password: mail secret')).toMatch(/^failed: /);
  writeFileSync(join(smtp.box, 'busy'), '');
  expect(await send(smtp.ca)).toMatch(/^failed: .*451 4.3.2 come back later/);
  expect(smtp.mails()).toHaveLength(1);
});

test('a webhook: redirects are not followed, an answer without an end is not read', { timeout: 60_000 }, async () => {
  const { system, hook } = await world();
  const target = `{kind: webhook, name: hook, url: "${hook.url}/a", timeout: 2s}`;
  hook.mode = 'redirect';
  expect(await tried(target)).toContain('answered 307: redirects are not followed');
  expect(hook.tries).toBe(1);
  hook.mode = 'endless';
  expect(await tried(target)).toMatch(/^took: 200 x+…$/);
  hook.mode = 'hang';
  expect(await tried(target)).toBe('failed: no answer within 2 s');
  // The command needs no central that runs.
  const command = (name: string) => {
    const config = system.write('c.yaml', `alerts: {targets: [${target}]}\n`);
    return system.offline(['alerts', '--test', name, '--config', config]);
  };
  hook.mode = 'take';
  expect(await command('hook')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hook +200 thanks\n$/) });
  expect(await command('nobody')).toMatchObject({ code: 66, stderr: expect.stringContaining('there are hook.') });
});

test('a broker of the site: incidents and state as plain JSON, also without a central, and a will', {
  timeout: 60_000,
}, async () => {
  const { system } = await world();
  const port = await freePort();
  const root = process.getuid?.() === 0 ? 'user root\n' : '';
  const file = system.write('site.conf', `listener ${port} 127.0.0.1\nallow_anonymous true\n${root}`);
  const startBroker = () => system.start('site-broker', ['/usr/sbin/mosquitto', '-c', file]);
  const rules = 'rules: {test-rule: {metric: system.uptime, above: 0, severity: critical, text: it runs}}';
  const agent = system.agent('press', `site: {broker: "mqtt://127.0.0.1:${port}", name: press-4}\n${rules}\n`);
  // The broker comes later than the agent, which does not mind.
  await agent.start();
  const broker = startBroker();
  const client = await until('the broker of the site answers', () =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 }).catch(() => null),
  );
  closing.push(() => client.endAsync(true));
  const got: { topic: string; retain: boolean; json: Record<string, unknown> }[] = [];
  client.on('message', (topic, payload, { retain }) =>
    got.push({ topic, retain, json: JSON.parse(payload.toString()) }),
  );
  await client.subscribeAsync('picket/site/#');
  const at = (last: string, test: (json: Record<string, unknown>) => boolean) =>
    until(
      `${last} as wanted`,
      () => got.find(({ topic, json }) => topic === `picket/site/press-4/${last}` && test(json)) ?? null,
      30_000,
      () => got,
    );
  const incident = await at('incident', ({ state }) => state === 'open');
  expect(incident.json).toMatchObject({ severity: 'critical', closedAt: null });
  expect(JSON.stringify(incident.json)).toContain('It runs: ');
  await at('state', ({ online, severity, open }) => online === true && severity === 'critical' && open === 1);
  await agent.program.end('SIGKILL');
  await at('state', ({ online }) => online === false);
  // Who comes later sees it as well.
  const later = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  closing.push(() => later.endAsync(true));
  const kept = new Promise<string>((resolve) => later.on('message', (_topic, payload) => resolve(payload.toString())));
  await later.subscribeAsync('picket/site/press-4/state');
  expect(JSON.parse(await kept)).toMatchObject({ machine: 'press-4', online: false });
  await broker.end('SIGTERM');
});
