/** A site's own mosquitto, which bridges to the central's with another prefix, as docs/brokers.md says. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import type { Mosquitto } from './mosquitto.ts';
import { type Program, until } from './processes.ts';
import { freePort, type System } from './system.ts';

const BINARY = '/usr/sbin/mosquitto';
const PREFIX = 'plant/7';
const USER = 'bridge-plant-7';
const PASSWORD = 'of-the-bridge';

/** What the central's broker lets the bridge do: what the site's machines may, and no more. */
export function bridgeAcl(agents: readonly string[]): readonly string[] {
  return [
    '',
    `user ${USER}`,
    ...agents.flatMap((agent) => [`topic write picket/1/a/${agent}/up/#`, `topic read picket/1/a/${agent}/down/#`]),
  ];
}

export class SiteBroker {
  program!: Program;
  readonly #system: System;
  readonly #config: string;
  readonly #port: number;

  private constructor(system: System, config: string, port: number) {
    this.#system = system;
    this.#config = config;
    this.#port = port;
  }

  /** The central's broker must know its users already. */
  static async prepare(system: System, central: Mosquitto, agents: readonly string[]): Promise<SiteBroker> {
    execFileSync('mosquitto_passwd', ['-b', central.passwords, USER, PASSWORD]);
    const port = await freePort();
    // The site's machines log in here as they would at the central: the same lines of the same file.
    const lines = readFileSync(central.passwords, 'utf8').split('\n');
    const own = lines.filter((line) => agents.some((agent) => line.startsWith(`${agent}:`)));
    const passwords = system.write('site-passwords', `${own.join('\n')}\n`);
    const acl = [`pattern write ${PREFIX}/a/%u/up/#`, `pattern read ${PREFIX}/a/%u/down/#`];
    const config = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous false',
      `password_file ${passwords}`,
      `acl_file ${system.write('site-acl', `${acl.join('\n')}\n`)}`,
      'max_packet_size 66560',
      'connection central',
      `address 127.0.0.1:${central.port}`,
      `remote_username ${USER}`,
      `remote_password ${PASSWORD}`,
      `remote_clientid ${USER}`,
      'cleansession true',
      'notifications false',
      'restart_timeout 1',
      `topic a/+/up/# out 1 ${PREFIX}/ picket/1/`,
      `topic a/+/down/# in 1 ${PREFIX}/ picket/1/`,
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ];
    const file = system.write('site.conf', `${config.join('\n')}\n`);
    return new SiteBroker(system, file, port);
  }

  /** What an agent behind this broker is enrolled with. */
  behind(enrolment: Enrolment): Enrolment {
    return { ...enrolment, broker: `mqtt://127.0.0.1:${this.#port}`, prefix: PREFIX };
  }

  async start(): Promise<void> {
    this.program = this.#system.start('site broker', [BINARY, '-v', '-c', this.#config]);
    await until('the bridge is connected', () => {
      if (!this.program.alive) throw new Error(`the site's broker ended: ${this.program.stderr}`);
      return /Received CONNACK on connection|Bridge .* (connect|subscri)/i.test(
        this.program.stderr + this.program.stdout,
      );
    });
  }
}
