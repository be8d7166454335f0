package viz

import "testing"

func TestCaptionParts(t *testing.T) {
	for _, test := range []struct{ text, says, how string }{
		{"", "", ""},
		{"R² is 0.5 in layer 2. It is low.", "R² is 0.5 in layer 2. It is low.", ""},
		{`With this window faithfulness is 100.0 % ± 0.0. Prompts: 60 of 62, such as "62-91="; 2 dropped. Means: every prompt. The 1,060 edited runs computed 420 of 1,800.`,
			"With this window faithfulness is 100.0 % ± 0.0.",
			`Prompts: 60 of 62, such as "62-91="; 2 dropped. Means: every prompt. The 1,060 edited runs computed 420 of 1,800.`},
		{"Prompts: 3 of 3. The smallest window is 2. Activations: 0.5 of 1.", "The smallest window is 2.", "Prompts: 3 of 3. Activations: 0.5 of 1."},
	} {
		if says, how := captionParts(test.text); says != test.says || how != test.how {
			t.Errorf("%q is\n%q and\n%q", test.text, says, how)
		}
	}
}

func TestTypeset(t *testing.T) {
	for text, want := range map[string]string{
		`logit -13.99 (-1, -.5), "62-91=" and w-2`: `logit −13.99 (−1, −.5), "62-91=" and w-2`,
		"a loss of 2.8e-07, -2.1e-06":              "a loss of 2.8e−7, −2.1e−6",
		"1.67e-24 and 1e-10":                       "1.67e−24 and 1e−10",
		"17.5 % of 3 %":                            "17.5\u00a0% of 3\u00a0%",
		"40.4 ± 1.8 (n = 50, R² 0.722, R² -0.2)":   "40.4\u00a0±\u00a01.8 (n\u00a0=\u00a050, R²\u00a00.722, R²\u00a0−0.2)",
		"r = P(91), attn + mlp":                    "r\u00a0=\u00a0P(91), attn + mlp",
		"waves of a + b = c, 34 + 57 at k = 8":     "waves of a\u00a0+\u00a0b\u00a0=\u00a0c, 34\u00a0+\u00a057 at k\u00a0=\u00a08",
	} {
		if got := typeset(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
