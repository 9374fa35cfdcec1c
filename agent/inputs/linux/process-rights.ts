/** What this user may not see of other users' processes, and what would let it. */
import fs from 'node:fs';
import { errorCode } from './reader.ts';

/** The first process belongs to root: who may see it may see all. */
const firstPid = 1;

export function missingProcessRights(procRoot: string, withIo: boolean): readonly string[] {
  const missing: string[] = [];
  const folder = `${procRoot}/${firstPid}`;
  if (isHidden(folder)) {
    missing.push(
      `${procRoot} is mounted with hidepid: join the group of its option gid= to see other users' processes.`,
    );
  } else if (withIo && isForbidden(`${folder}/io`)) {
    missing.push(
      `${folder}/io may not be read: disk use of other users' processes needs the capability CAP_SYS_PTRACE.`,
    );
  }
  return missing;
}

function isHidden(folder: string): boolean {
  try {
    fs.statSync(`${folder}/stat`);
    return false;
  } catch (error) {
    return errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM' || errorCode(error) === 'ENOENT';
  }
}

function isForbidden(file: string): boolean {
  try {
    // Opening is always allowed; the right is asked for at the reading.
    fs.readFileSync(file);
    return false;
  } catch (error) {
    return errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM';
  }
}
