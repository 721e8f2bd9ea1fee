// The three faces of something that is loaded: not yet, failed, there.
import { ErrorBoundary, Suspense, type ParentComponent } from 'solid-js';

export const Loading: ParentComponent<{ what: string }> = (props) => (
  <ErrorBoundary
    fallback={(error: Error, reset) => (
      <div class="error" role="alert">
        <p>{error.message}</p>
        <p><button type="button" class="btn small" onClick={reset}>Try again</button></p>
      </div>
    )}
  >
    <Suspense fallback={<p class="empty">Loading {props.what}…</p>}>{props.children}</Suspense>
  </ErrorBoundary>
);
