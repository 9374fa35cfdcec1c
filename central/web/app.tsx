/** The whole: who is logged in decides what is shown, the address decides which page. */
import { useEffect, useState } from 'preact/hooks';
import { resume, session, wordsOf } from './api.ts';
import { useCell } from './cell.ts';
import { Shell } from './components/shell.tsx';
import { type Fleet, openFleet } from './fleet.ts';
import { EnrolPage } from './pages/enrol.tsx';
import { FleetPage } from './pages/fleet.tsx';
import { LoginPage } from './pages/login.tsx';
import { MachinePage } from './pages/machine.tsx';
import { followLinks, place } from './router.ts';

const RETRY_MS = 2_000;

export function App() {
  const who = useCell(session);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    let timer = 0;
    const ask = (): void => {
      resume().then(
        () => setTrouble(''),
        (error: unknown) => {
          setTrouble(wordsOf(error));
          timer = window.setTimeout(ask, RETRY_MS);
        },
      );
    };
    ask();
    document.addEventListener('click', followLinks);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('click', followLinks);
    };
  }, []);
  if (who === undefined) {
    return (
      <main class="waiting" aria-busy="true">
        {trouble !== '' && <p role="alert">{trouble} Trying again…</p>}
      </main>
    );
  }
  return who === null ? <LoginPage /> : <LoggedIn user={who.user} />;
}

function LoggedIn({ user }: { readonly user: string }) {
  const [fleet, setFleet] = useState<Fleet | null>(null);
  useEffect(() => {
    const opened = openFleet();
    setFleet(opened);
    return () => opened.end();
  }, []);
  if (fleet === null) return null;
  return (
    <Shell user={user} fleet={fleet}>
      <Page fleet={fleet} />
    </Shell>
  );
}

function Page({ fleet }: { readonly fleet: Fleet }) {
  const { path } = useCell(place);
  const machine = /^\/machine\/([A-Za-z0-9_-]{1,64})(?:\/([a-z]+))?$/.exec(path);
  if (machine !== null) return <MachinePage key={machine[1]} id={machine[1]!} tab={machine[2] ?? ''} fleet={fleet} />;
  if (path === '/add') return <EnrolPage fleet={fleet} />;
  if (path === '/') return <FleetPage fleet={fleet} />;
  return (
    <div class="blank">
      <h1>There is no page here</h1>
      <p>
        Nothing is at <code>{path}</code>. <a href="/">Back to the fleet</a>
      </p>
    </div>
  );
}
