// Things that are shown once: the QR code of an authenticator app, recovery codes, a program's token.
import { For, type Component } from 'solid-js';
import type { TotpBegun } from './calls';
import './secrets.css';

/** The code to scan, and the same to type. An image, so that the page's policy lets no script of it run. */
export const QrImage: Component<{ begun: TotpBegun }> = (props) => (
  <figure class="qr">
    <img src={`data:image/svg+xml,${encodeURIComponent(props.begun.qr)}`} alt="QR code for the authenticator app" width="220" height="220" />
    <figcaption class="small">No camera? Type this: <code class="secret">{props.begun.secret}</code></figcaption>
  </figure>
);

export const CodeList: Component<{ codes: string[] }> = (props) => (
  <>
    <p>Each of these opens once when your app or passkey is lost. They are shown this one time: print or write them down, and keep them apart from your password.</p>
    <ol class="recovery"><For each={props.codes}>{(code) => <li><code>{code}</code></li>}</For></ol>
  </>
);
