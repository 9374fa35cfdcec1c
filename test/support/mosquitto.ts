/** The real mosquitto, set up as docs/brokers.md says. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { type Program, until } from './processes.ts';
import { freePort, type System } from './system.ts';

/** Debian puts it where a user's PATH may not look. */
const BINARY = '/usr/sbin/mosquitto';

export class Mosquitto {
  readonly port: number;
  readonly passwords: string;
  program!: Program;
  readonly #system: System;
  readonly #config: string;
  readonly #acl: string;

  private constructor(system: System, port: number, more: readonly string[]) {
    this.#system = system;
    this.port = port;
    const directory = system.path('mosquitto');
    this.passwords = `${directory}/passwords`;
    writeFileSync(this.passwords, '');
    const acl = [
      'user picket-central',
      'topic read picket/1/a/+/up/#',
      'topic write picket/1/a/+/down/#',
      '',
      'pattern write picket/1/a/%u/up/#',
      'pattern read picket/1/a/%u/down/#',
    ];
    this.#acl = system.write('acl', `${acl.join('\n')}\n`);
    const config = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous false',
      `password_file ${this.passwords}`,
      `acl_file ${this.#acl}`,
      'max_packet_size 66560',
      ...more,
      // Run by root it would become a user that may not read the test's files.
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ];
    this.#config = system.write('mosquitto.conf', `${config.join('\n')}\n`);
  }

  /**
   * The broker is to be started after the central has written its own user.
   * @param more lines of its configuration
   */
  static async prepare(system: System, more: readonly string[] = []): Promise<Mosquitto> {
    return new Mosquitto(system, await freePort(), more);
  }

  /** YAML of a central on this broker. */
  get config(): string {
    return [
      'broker:',
      '  kind: external',
      `  url: mqtt://127.0.0.1:${this.port}`,
      '  username: picket-central',
      '  password: of-the-central',
      `  passwords: ${this.passwords}`,
      '',
    ].join('\n');
  }

  /** Adds lines to the access list; to be called before the start. */
  allow(lines: readonly string[]): void {
    appendFileSync(this.#acl, `${lines.join('\n')}\n`);
  }

  async start(): Promise<void> {
    this.program = this.#system.start('mosquitto', [BINARY, '-c', this.#config]);
    await until(`mosquitto listens on ${this.port}`, () => {
      if (!this.program.alive) throw new Error(`mosquitto ended: ${this.program.stderr}`);
      return answers(this.port);
    });
  }

  /** As the path unit does it when the passwords change. */
  reload(): void {
    this.program.signal('SIGHUP');
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
