import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PasswordFile, passwordLine } from './password-file.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-passwords-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a line is what mosquitto_passwd makes of the same salt and password', () => {
  // `mosquitto_passwd -c FILE u`, version 2.0.11
  const made =
    'u:$7$101$hcKT1dWrT2DzXyOk$wP51MxZNob8bu3Uck4s9Bz3hU4abyMTxguwB4XZF9WYNg3H3/SMl6rmDlgbWDICSRWMif3FVeFSsTP6+D9eouw==';
  const salt = Buffer.from(made.split('$')[3]!, 'base64');
  expect(passwordLine('u', 'secret', salt)).toBe(made);
});

test('follows the fleet and leaves other users alone', async () => {
  const path = join(directory, 'passwords');
  await writeFile(path, 'operator:$7$101$c2FsdA==$aGFzaA==\n');
  const file = await PasswordFile.open(path);
  await Promise.all([file.set('a1', 'first'), file.set('a2', 'second'), file.set('a1', 'third')]);
  await file.remove('a2');
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => line.split(':')[0])).toEqual(['operator', 'a1']);
  const salt = Buffer.from(lines[1]!.split('$')[3]!, 'base64');
  expect(lines[1]).toBe(passwordLine('a1', 'third', salt));
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

test('says which setting names a file that cannot be written', async () => {
  const file = await PasswordFile.open(join(directory, 'gone', 'passwords'));
  await expect(file.set('a1', 'x')).rejects.toMatchObject({
    code: 'store.failed',
    message: expect.stringContaining('broker.passwords'),
  });
});
