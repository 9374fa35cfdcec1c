/** Bad data of a real device, as the agent tells it on site: a register that cannot be, and a device that fell silent. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GoldenMachine } from '../support/golden-machine.ts';
import { compileDevice, ModbusDevice } from '../support/modbus-device.ts';
import { until } from '../support/processes.ts';
import { type Agent, System } from '../support/system.ts';

let system: System;
let device: ModbusDevice;
beforeEach(async () => {
  system = new System();
  device = await ModbusDevice.start(compileDevice(system.path()));
});
afterEach(async () => {
  await device.stop();
  await system.close();
});

interface Shown {
  readonly incidents: readonly { readonly title: string }[];
}

function shown(agent: Agent): Shown | null {
  try {
    return agent.status<Shown>();
  } catch {
    // Not written yet.
    return null;
  }
}

/** An agent that reads two temperatures of the device, and nothing else. */
async function reading(): Promise<Agent> {
  const machine = new GoldenMachine(system, 'vm');
  const registers = ['supply', 'return']
    .map((name, address) => `{ name: ${name}, unit: Cel, address: ${address}, scale: 0.1, max: 90 }`)
    .join(', ');
  const modbus = `{ name: boiler, host: 127.0.0.1, port: ${device.port}, interval: 200ms, registers: [${registers}] }`;
  const agent = system.agent('agent', `${machine.config}inputs:\n  modbus: [${modbus}]\n`);
  await device.tell('register 0 600');
  await device.tell('register 1 450');
  await agent.start();
  return agent;
}

function told(agent: Agent, pattern: RegExp) {
  return until(
    `an incident ${pattern}`,
    () => shown(agent)?.incidents.find(({ title }) => pattern.test(title)) ?? null,
    60_000,
    () => [shown(agent)?.incidents, agent.program.stderr.slice(-2000)],
  );
}

test('a register with all bits set cannot be a temperature: it is told at once', async () => {
  const agent = await reading();
  await device.tell('register 0 65535');
  const { title } = await told(agent, /supply/i);
  expect(title).toMatch(/^Supply \(boiler\): 6554 °C cannot be, the most possible is 90 °C.*; since/);
});

test('a device that is switched off after it was known gives no data: that is told once, by its name', async () => {
  const agent = await reading();
  // So often that it is known that it answers.
  let reads = 0;
  const read = async (): Promise<boolean> => {
    reads += Number((await device.tell('requests')).replace('requests ', ''));
    return reads >= 80;
  };
  await until('the device was read eighty times', read, 90_000);
  await device.stop();
  const { title } = await told(agent, /data from/);
  expect(title).toMatch(/^No data from boiler for \d+ s; since/);
});
