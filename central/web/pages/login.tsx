/** Log in. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { logIn, Problem, wordsOf } from '../api.ts';
import { Mark } from '../components/mark.tsx';

export function LoginPage() {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Log in · Picket';
    password.current?.focus();
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setTrouble('');
    try {
      await logIn(String(form.get('user')), String(form.get('password')));
    } catch (error) {
      setTrouble(
        error instanceof Problem && error.code === 'auth.denied' ? 'User or password are not right.' : wordsOf(error),
      );
      setBusy(false);
      password.current?.select();
    }
  };

  return (
    <main class="login">
      <form class="card" onSubmit={submit} aria-busy={busy}>
        <h1>
          <Mark /> Picket
        </h1>
        <label>
          User
          <input name="user" autocomplete="username" value="admin" required maxLength={64} />
        </label>
        <label>
          Password
          <input
            ref={password}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={256}
            aria-describedby="where"
          />
        </label>
        {trouble !== '' && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
        <p class="hint" id="where">
          The password was printed once, in the terminal (or the journal) of the central, when it started for the first
          time: in the line <code>ready … user admin password …</code>
        </p>
      </form>
    </main>
  );
}
