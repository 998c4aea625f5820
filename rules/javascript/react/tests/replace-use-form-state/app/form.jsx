import { useFormState, useFormStatus } from 'react-dom';

export function Form() {
  const [state, save] = useFormState(saved, null);
  return <form action={save}>{state}{useFormStatus().pending && '…'}</form>;
}
