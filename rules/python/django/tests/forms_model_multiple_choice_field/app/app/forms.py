from django import forms

one = forms.ModelMultipleChoiceField(queryset=q, error_messages={"list": "no list", "required": "none"})
two = forms.ModelMultipleChoiceField(queryset=q, error_messages=messages)
three = forms.ModelMultipleChoiceField(q)
