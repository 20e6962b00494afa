// Authority makes what Go programs (Vault, step, cfssl) make: a root, its key, and a leaf, in the named directory.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

func main() {
	directory := os.Args[1]
	start := time.Now().Add(-time.Hour)
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	fail(err)
	root := &x509.Certificate{
		SerialNumber:          big.NewInt(4711),
		Subject:               pkix.Name{Country: []string{"DE"}, Organization: []string{"Example"}, CommonName: "Go CA"},
		NotBefore:             start,
		NotAfter:              start.AddDate(0, 0, 100),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLen:            1,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	fail(err)
	root, err = x509.ParseCertificate(rootDER)
	fail(err)
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	leafDER, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(4712),
		Subject:      pkix.Name{CommonName: "before.example.org"},
		DNSNames:     []string{"before.example.org"},
		NotBefore:    start,
		NotAfter:     start.AddDate(0, 0, 60),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, root, &leafKey.PublicKey, rootKey)
	fail(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(rootKey)
	fail(err)
	write(directory, "ca.pem", "CERTIFICATE", rootDER)
	write(directory, "ca.key", "PRIVATE KEY", keyDER)
	write(directory, "leaf.pem", "CERTIFICATE", leafDER)
}

func write(directory, name, label string, der []byte) {
	block := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
	fail(os.WriteFile(filepath.Join(directory, name), block, 0o600))
}

func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
