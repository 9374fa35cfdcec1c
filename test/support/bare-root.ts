/**
 * A root directory in which there is nothing but one executable and the shared libraries that it names: no shell, no
 * Node, no /etc. Where this user may neither chroot nor make a namespace, the executable runs where it is, with an
 * empty PATH.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface BareRoot {
  /** Command line that runs the executable in it; `env -i` included. */
  command(env: Readonly<Record<string, string>>, ...args: readonly string[]): readonly string[];
  /** A directory as the executable sees it, and as the test does. */
  readonly data: string;
  readonly dataHere: string;
  /** Whether it is a root of its own. */
  readonly isolated: boolean;
}

/** @param directory an empty one, on a disk */
export function bareRoot(directory: string, executable: string): BareRoot {
  const namespace = [
    ['unshare', '--mount'],
    ['unshare', '--map-root-user', '--mount'],
  ].find(([program, ...args]) => spawnSync(program!, [...args, 'true'], { stdio: 'ignore' }).status === 0);
  const assignments = (env: Readonly<Record<string, string>>): string[] => [
    'PATH=',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
  if (namespace === undefined) {
    const data = join(directory, 'data');
    mkdirSync(data);
    return {
      isolated: false,
      data,
      dataHere: data,
      command: (env, ...args) => ['/usr/bin/env', '-i', ...assignments(env), executable, ...args],
    };
  }
  for (const name of ['proc', 'dev', 'data']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'dev', 'null'), '');
  const program = join(directory, 'program');
  try {
    linkSync(executable, program);
  } catch {
    copyFileSync(executable, program);
  }
  for (const library of librariesOf(executable)) {
    mkdirSync(dirname(join(directory, library)), { recursive: true });
    copyFileSync(library, join(directory, library));
  }
  // Mounts are seen in this namespace only, and go with its last process. Each step replaces the one before, so that
  // the process that was started is the executable in the end.
  const enter = 'mount --rbind /proc "$0/proc" && mount --bind /dev/null "$0/dev/null" && exec env -i "$@"';
  return {
    isolated: true,
    data: '/data',
    dataHere: join(directory, 'data'),
    command: (env, ...args) => {
      const inside = [...assignments(env), '/usr/sbin/chroot', directory, '/program', ...args];
      return [...namespace, 'sh', '-c', enter, directory, ...inside];
    },
  };
}

/** What the dynamic loader says; the lines with a path, and the loader itself. */
function librariesOf(executable: string): string[] {
  const said = execFileSync('ldd', [executable], { encoding: 'utf8' });
  return [...said.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1]!);
}
